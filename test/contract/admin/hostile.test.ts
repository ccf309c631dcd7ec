/** What must neither crash, nor pollute, nor answer 500, whoever sends it. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listEntities } from '../../../core/entities/registry.ts';
import { StoreUnavailableError } from '../../../core/store/entity-error.ts';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';
import { openStoreAt } from './support/open-test-store.ts';
import { createTestCatalog } from './support/plugin-catalog.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin.close());

const COLLECTIONS = ['/services', '/routes', '/consumers', '/plugins', '/key-auths'];
const json = (body: string) => ({ headers: { 'content-type': 'application/json' }, body });

describe('names of Object.prototype', () => {
  it.each(COLLECTIONS)('are unknown fields of %s', async (path) => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const body = `{"name":"cors","username":"u","host":"a.test","paths":["/a"],"${name}":{"polluted":true}}`;
      const { status, body: answer } = await admin.call('POST', path, json(body));
      expect([path, name, status]).toEqual([path, name, 400]);
      expect(Object.getOwnPropertyDescriptor(answer['fields'], name)?.value).toBe('unknown field');
      const form = await admin.form('POST', path, `name=cors&host=a.test&paths=/a&${name}.polluted=1`);
      expect(form.status).toBe(400);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('are unknown inside config and references too', async () => {
    const bodies = [
      '{"name":"tiers","config":{"__proto__":{"minute":1}}}',
      '{"name":"tiers","config":{"redis":{"constructor":1}}}',
      '{"name":"tiers","service":{"__proto__":{"id":"x"}}}',
      '{"name":"__proto__"}',
      '{"name":"constructor"}',
    ];
    for (const body of bodies) expect((await admin.call('POST', '/plugins', json(body))).status).toBe(400);
  });

  it('are keys like others in maps and paths', async () => {
    const { status, body } = await admin.call(
      'POST',
      '/routes',
      json('{"name":"p","headers":{"__proto__":["1"]}}'),
    );
    expect(status).toBe(201);
    expect(JSON.stringify(body['headers'])).toBe('{"__proto__":["1"]}');
    expect((await admin.get('/services/__proto__')).status).toBe(404);
    expect((await admin.put('/consumers/constructor', {})).body['username']).toBe('constructor');
  });
});

describe('texts a database cannot hold', () => {
  it('are refused with the field, or found nowhere', async () => {
    const { status, body } = await admin.post('/consumers', { username: 'a\0b' });
    expect([status, Object.keys(body['fields'] as object)]).toEqual([400, ['username']]);
    for (const path of [
      '/consumers/%00',
      '/consumers/a%00b',
      '/tags/%00',
      '/consumers?custom_id=%00',
      '/cache/%00',
    ]) {
      expect([path, (await admin.get(path)).status < 500]).toEqual([path, true]);
    }
    expect((await admin.put('/consumers/%00', {})).status).toBe(400);
    expect((await admin.delete('/consumers/%00')).status).toBeLessThan(500);
    expect((await admin.get('/consumers/%ff')).status).toBeLessThan(500);
  });
});

describe('numbers beyond their range', () => {
  it.each(['1e400', '-1e400', '9007199254740993', '1e21', '-0', '0.1'])(
    'such as %s are judged, not stored wrongly',
    async (number) => {
      for (const field of ['port', 'retries', 'created_at', 'connect_timeout']) {
        const answer = await admin.call('POST', '/services', json(`{"host":"a.test","${field}":${number}}`));
        expect([field, answer.status < 500]).toEqual([field, true]);
      }
      const route = await admin.call('POST', '/routes', json(`{"paths":["/a"],"regex_priority":${number}}`));
      expect(route.status).toBeLessThan(500);
    },
  );
});

describe('any JSON at all', () => {
  it.each(COLLECTIONS)('posted to %s is answered below 500', async (path) => {
    const member = fc.constantFrom(
      ...[
        'id',
        'name',
        'host',
        'port',
        'paths',
        'headers',
        'protocols',
        'methods',
        'hosts',
        'snis',
        'sources',
      ],
      ...[
        'tags',
        'created_at',
        'service',
        'consumer',
        'config',
        'username',
        'key',
        'ttl',
        'url',
        'path',
        'route',
      ],
    );
    const value = fc.jsonValue({ maxDepth: 3 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(member, value, { maxKeys: 6 }), fc.boolean(), async (body, named) => {
        const { status } = await admin.post(path, named ? { ...body, name: 'tiers', host: 'a.test' } : body);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 60 },
    );
    expect(admin.errors).toEqual([]);
  });

  it('and any path', async () => {
    const segment = fc.oneof(
      fc.constantFrom('services', 'routes', 'plugins', '%', '%zz', '..', '', '%2F'),
      fc.string({ maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { maxLength: 5 }), async (segments) => {
        const path = `/${segments.map((text) => text.replace(/[^\x21-\x7e]/g, encodeURIComponent)).join('/')}`;
        expect((await admin.get(encodeURI(path))).status).toBeLessThan(500);
      }),
      { numRuns: 100 },
    );
  });
});

describe('writes at the same time', () => {
  it('of one new name give one 201 and otherwise 409', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.post('/services', { name: 'raced', host: 'a.test' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
  });

  it('by PUT of one new name all give 200 and leave one row', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => admin.put('/services/put-raced', { host: `h${index}.test` })),
    );
    expect(new Set(answers.map(({ status, id }) => `${status} ${id}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
  });

  it('by PUT on two nodes over one database all give 200', async () => {
    const other = await openStoreAt(admin.databaseUrl, listEntities(createTestCatalog()));
    const second = await startAdmin({ store: other.store });
    try {
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(
          Array.from({ length: 6 }, (_, index) =>
            (index % 2 === 0 ? admin : second).put(`/services/round-${round}`, { host: 'a.test' }),
          ),
        );
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
      }
    } finally {
      await second.close();
      await other.close();
    }
  });

  it('of one row by PATCH and DELETE end without a 500', async () => {
    await admin.put('/services/fought', { host: 'a.test' });
    const answers = await Promise.all([
      admin.patch('/services/fought', { port: 1 }),
      admin.delete('/services/fought'),
      admin.patch('/services/fought', { port: 2 }),
      admin.put('/services/fought', { host: 'b.test' }),
      admin.delete('/services/fought'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 204, 404, 200, 204]);
  });

  it('are published in the order in which they were stored', async () => {
    admin.changes.length = 0;
    await Promise.all(
      Array.from({ length: 10 }, (_, port) => admin.put('/services/ordered', { host: 'a.test', port })),
    );
    const last = await admin.get('/services/ordered');
    expect(admin.changes.at(-1)?.row).toEqual(last.body);
  });
});

describe("failures that are not the client's", () => {
  it('of the database answer 503 with what is the matter', async () => {
    const store = Object.fromEntries(
      Object.keys(admin.store).map((name) => [
        name,
        () => Promise.reject(new StoreUnavailableError(new Error('down'))),
      ]),
    ) as unknown as AdminUnderTest['store'];
    const broken = await startAdmin({ store });
    try {
      for (const answer of [
        await broken.get('/services'),
        await broken.post('/services', { host: 'a.test' }),
        await broken.delete('/services/x'),
        await broken.get('/tags'),
      ]) {
        expect(answer.status).toBe(503);
        expect(answer.body['message']).toMatch(/^the database is not reachable/);
      }
      expect(broken.errors).toEqual([]);
    } finally {
      await broken.close();
    }
  });

  it('of our own are logged and answer 500 without a word of them', async () => {
    const failing = await startAdmin({ publish: () => Promise.reject(new Error('secret detail')) });
    try {
      const { status, body } = await failing.post('/services', { host: 'a.test' });
      expect([status, body]).toEqual([500, { message: 'An unexpected error occurred' }]);
      expect(failing.errors).toEqual([expect.objectContaining({ message: 'secret detail' })]);
    } finally {
      await failing.close();
    }
  });
});

it('answers a write only when it has been published', async () => {
  const order: string[] = [];
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = await startAdmin({
    publish: async () => {
      await gate;
      order.push('published');
    },
  });
  try {
    const answered = slow.post('/services', { host: 'a.test' }).then(() => order.push('answered'));
    // A read goes on meanwhile, and so does another write as far as storing it.
    await expect.poll(async () => (await slow.get('/services')).data.length).toBe(1);
    expect(order).toEqual([]);
    release();
    await answered;
    expect(order).toEqual(['published', 'answered']);
  } finally {
    await slow.close();
  }
});
