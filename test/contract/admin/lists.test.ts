/** Sections 2.2 and 2.5: pages, tags on lists, and the tags of everything. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
const ids: string[] = [];

beforeAll(async () => {
  admin = await startAdmin();
  const tags = [['a'], ['a', 'b'], ['b'], null, ['c d']];
  for (const [index, value] of tags.entries()) {
    const { id } = await admin.post('/services', { name: `s${index}`, host: 'a.test', tags: value });
    ids.push(id);
  }
  for (const index of [0, 1, 2])
    await admin.post('/services/s0/routes', { paths: [`/${index}`], tags: ['r'] });
});
afterAll(() => admin.close());

const names = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map((row) => row['name']).sort();

async function collect(
  first: string,
  follow: (body: Readonly<Record<string, unknown>>) => string | undefined,
) {
  const pages: (readonly Readonly<Record<string, unknown>>[])[] = [];
  for (let path: string | undefined = first; path !== undefined && pages.length < 10; ) {
    const { status, body, data } = await admin.get(path);
    expect(status).toBe(200);
    pages.push(data);
    path = follow(body);
  }
  return pages;
}

describe('a list', () => {
  it('is ordered by id', async () => {
    const { data } = await admin.get('/services');
    expect(data.map((row) => row['id'])).toEqual([...ids].sort());
  });

  it('has no offset on its last page', async () => {
    expect(Object.keys((await admin.get('/services')).body).sort()).toEqual(['data', 'next']);
    expect((await admin.get('/consumers')).body).toEqual({ data: [], next: null });
  });

  it('can be walked by next', async () => {
    const pages = await collect('/services?size=2', ({ next }) => (next === null ? undefined : String(next)));
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat().map((row) => row['id'])).toEqual([...ids].sort());
  });

  it('can be walked by offset, as decK does', async () => {
    const pages = await collect('/services?size=3', ({ offset }) =>
      offset === undefined ? undefined : `/services?size=3&offset=${encodeURIComponent(String(offset))}`,
    );
    expect(pages.map((page) => page.length)).toEqual([3, 2]);
  });

  it('repeats tags and size in next, in that order', async () => {
    const { body } = await admin.get('/services?size=1&tags=a%2Fb');
    const offset = encodeURIComponent(String(body['offset']));
    expect(body['next']).toBe(`/services?offset=${offset}&tags=a%2Fb&size=1`);
  });

  it('drops size and tags from the next of a nested list', async () => {
    const { body } = await admin.get('/services/s0/routes?size=1&tags=r');
    expect(body['next']).toBe(`/services/s0/routes?offset=${encodeURIComponent(String(body['offset']))}`);
  });

  it('has an offset that is unpadded base64 of a JSON array', async () => {
    const offset = String((await admin.get('/services?size=1')).body['offset']);
    expect(offset).not.toContain('=');
    expect(JSON.parse(Buffer.from(offset, 'base64').toString())).toBeInstanceOf(Array);
  });

  it.each(['size=1000', 'size=1', 'sort_desc=1&size=30', 'name=x&sort_by=name', 'size=1e2'])(
    'takes %s',
    async (query) => {
      expect((await admin.get(`/services?${query}`)).status).toBe(200);
    },
  );

  it.each([
    ['size=x', 9, 'invalid size', 'size must be a number'],
    ['size=', 9, 'invalid size', 'size must be a number'],
    ['size', 9, 'invalid size', 'size must be a number'],
    ['size=0', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=-1', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=1001', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=1.5', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['offset=x', 7, 'invalid offset', `'x' is not a valid offset: bad base64 encoding`],
    ['offset=aGVsbG8', 7, 'invalid offset', `'aGVsbG8' is not a valid offset: bad json encoding`],
  ])('refuses %s', async (query, code, name, message) => {
    for (const path of ['/services', '/services/s0/routes', '/tags']) {
      const answer = await admin.get(`${path}?${query}`);
      expect([answer.status, answer.body]).toEqual([400, { code, name, message }]);
    }
  });
});

describe('the tags filter of a list', () => {
  it.each([
    ['a', ['s0', 's1']],
    ['a,b', ['s1']],
    ['a/b', ['s0', 's1', 's2']],
    ['c%20d', ['s4']],
    ['nobody', []],
    ['a&tags=b', ['s0', 's1']],
  ])('tags=%s finds %j', async (filter, expected) => {
    expect(names((await admin.get(`/services?tags=${filter}`)).data)).toEqual(expected);
  });

  it.each([
    ['tags=', 'cannot be null'],
    ['tags', 'cannot be null'],
    ['tags=a,b/c', 'invalid filter syntax'],
    ['tags=%ff', 'invalid filter syntax'],
    ['tags=1,2,3,4,5,6', 'cannot query more than 5 tags'],
  ])('refuses %s', async (query, text) => {
    for (const path of ['/services', '/services/s0/routes']) {
      const answer = await admin.get(`${path}?${query}`);
      expect([answer.status, answer.body]).toEqual([
        400,
        {
          code: 11,
          name: 'invalid options',
          message: `invalid option (tags: ${text})`,
          options: { tags: text },
        },
      ]);
    }
  });

  it('is not applied below a parent', async () => {
    expect((await admin.get('/services/s0/routes?tags=other')).data).toHaveLength(3);
  });
});

describe('/tags', () => {
  it('lists who bears which, by entity id', async () => {
    const { data } = await admin.get('/tags');
    expect(data).toHaveLength(8);
    const [s0 = ''] = ids;
    expect(data).toContainEqual({ entity_name: 'services', entity_id: s0, tag: 'a' });
    const order = data.map((row) => String(row['entity_id']));
    expect(order).toEqual([...order].sort());
  });

  it('is paged and ignores a tags filter', async () => {
    const pages = await collect('/tags?size=3&tags=', ({ next }) =>
      next === null ? undefined : String(next),
    );
    expect(pages.map((page) => page.length)).toEqual([3, 3, 2]);
    expect(new Set(pages.flat().map((row) => JSON.stringify(row))).size).toBe(8);
  });

  it('can be asked for one tag', async () => {
    expect((await admin.get('/tags/b')).data).toHaveLength(2);
    expect((await admin.get('/tags/c%20d')).data).toHaveLength(1);
    expect((await admin.get('/tags/nobody')).body).toEqual({ data: [], next: null });
    const { body } = await admin.get('/tags/r?size=2');
    expect(body['next']).toBe(`/tags/r?offset=${encodeURIComponent(String(body['offset']))}`);
  });

  it('refuses what could not be a tag', async () => {
    const answer = await admin.get('/tags/a%2Cb');
    expect([answer.status, answer.body]).toMatchObject([400, { code: 10, name: 'invalid unique tag' }]);
    const bytes = await admin.get('/tags/a%80');
    expect([bytes.status, bytes.body['message']]).toEqual([
      400,
      'invalid utf-8 character sequence detected at position 2',
    ]);
  });

  it('cannot be written', async () => {
    const { status, body } = await admin.post('/tags', {});
    expect([status, body['message']]).toEqual([
      400,
      'schema violation (tags: does not support insert/upsert/update/delete operations)',
    ]);
  });

  it('refuses tags with separators on an entity', async () => {
    const { body } = await admin.post('/services', { host: 'a.test', tags: ['a,b'] });
    expect(body['fields']).toEqual({
      tags: ["invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"],
    });
  });

  it('drops duplicates and keeps the order', async () => {
    const { id, body } = await admin.post('/services', { host: 'a.test', tags: ['z', 'y', 'z'] });
    await admin.delete(`/services/${id}`);
    expect(body['tags']).toEqual(['z', 'y']);
  });
});
