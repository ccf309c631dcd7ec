/** Sections 2.1, 2.3 and 2.4: the methods every entity has, seen on services, routes, consumers and plugins. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(() => admin.empty());
afterAll(() => admin.close());

const NOT_FOUND = { message: 'Not found' };

describe('POST of a collection', () => {
  it('answers 201 with every field of the schema, nulls written out', async () => {
    const { status, body } = await admin.post('/services', { host: 'a.test' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      created_at: expect.any(Number),
      updated_at: body['created_at'],
      name: null,
      retries: 5,
      protocol: 'http',
      host: 'a.test',
      port: 80,
      path: null,
      connect_timeout: 60000,
      write_timeout: 60000,
      read_timeout: 60000,
      tags: null,
      client_certificate: null,
      tls_verify: null,
      tls_verify_depth: null,
      ca_certificates: null,
      enabled: true,
    });
    expect(Number.isInteger(body['created_at'])).toBe(true);
  });

  it('takes an id, once', async () => {
    const id = randomUUID();
    expect((await admin.post('/services', { id, host: 'a.test' })).id).toBe(id);
    const again = await admin.post('/services', { id, host: 'b.test' });
    expect(again.status).toBe(400);
    expect(again.body).toEqual({
      code: 3,
      name: 'primary key violation',
      fields: { id },
      message: `primary key violation on key '{id="${id}"}'`,
    });
  });

  it('answers 409 for a unique field that is taken', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    const again = await admin.post('/services', { name: 'web', host: 'b.test' });
    expect(again.status).toBe(409);
    expect(again.body).toEqual({
      code: 5,
      name: 'unique constraint violation',
      fields: { name: 'web' },
      message: `UNIQUE violation detected on '{name="web"}'`,
    });
  });

  it('keeps empty lists and maps apart from null', async () => {
    const { body } = await admin.post('/routes', { paths: ['/a'], hosts: [], headers: {}, tags: [] });
    expect(body).toMatchObject({ hosts: [], headers: {}, tags: [], methods: null });
  });

  it('stores an explicit null instead of a default where the field may be null', async () => {
    expect((await admin.post('/services', { host: 'a.test', retries: null })).body['retries']).toBeNull();
  });

  it('expands the shorthand of a service over its parts', async () => {
    const { body } = await admin.post('/services', {
      url: 'https://h.test/x?q=1',
      port: 1234,
      protocol: 'tcp',
    });
    expect(body).toMatchObject({ protocol: 'https', host: 'h.test', port: 443, path: '/x' });
    expect(body).not.toHaveProperty('url');
  });
});

describe('GET of an entity', () => {
  it('finds it by id in any case and by name', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test' });
    for (const key of [made.id, made.id.toUpperCase(), 'web']) {
      const { status, body } = await admin.get(`/services/${key}`);
      expect([status, body]).toEqual([200, made.body]);
    }
  });

  it('answers 404 for what is not there', async () => {
    for (const key of [randomUUID(), 'nobody']) {
      const { status, body } = await admin.get(`/services/${key}`);
      expect([status, body]).toEqual([404, NOT_FOUND]);
    }
  });

  it('refuses a key that could not be a name', async () => {
    const { status, body } = await admin.get('/services/a%20b');
    expect(status).toBe(400);
    expect(body).toEqual({
      code: 10,
      name: 'invalid unique name',
      message: `invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~`,
    });
  });

  it('ignores arguments it does not know', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    expect((await admin.get('/services/web?expand_partials=true&size=x')).status).toBe(200);
  });
});

describe('PUT of an entity (2.3)', () => {
  it('creates by name with a new id, then replaces and keeps it', async () => {
    const first = await admin.put('/services/web', { host: 'a.test', retries: 1, name: 'ignored' });
    expect([first.status, first.body['name']]).toEqual([200, 'web']);
    const second = await admin.put('/services/web', { host: 'b.test' });
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({ id: first.id, name: 'web', host: 'b.test', retries: 5 });
  });

  it('by id takes the id of the path and clears the name', async () => {
    const id = randomUUID();
    await admin.put(`/services/${id}`, { host: 'a.test', name: 'web' });
    const { body } = await admin.put(`/services/${id}`, { host: 'a.test', id: randomUUID() });
    expect(body).toMatchObject({ id, name: null });
  });

  it('sets created_at anew unless it is sent', async () => {
    const made = await admin.put('/services/web', { host: 'a.test', created_at: 1000 });
    expect(made.body['created_at']).toBe(1000);
    expect((await admin.put('/services/web', { host: 'a.test' })).body['created_at']).toBeGreaterThan(1000);
  });

  it('asks for the required fields', async () => {
    await admin.put('/services/web', { host: 'a.test' });
    const { status, body } = await admin.put('/services/web', {});
    expect([status, body['message']]).toEqual([400, 'schema violation (host: required field missing)']);
  });

  it('answers 409 when another row has the name', async () => {
    await admin.put('/services/web', { host: 'a.test' });
    const { status, body } = await admin.put(`/services/${randomUUID()}`, { host: 'b.test', name: 'web' });
    expect([status, body['code']]).toEqual([409, 5]);
  });

  it('makes a consumer of an empty body', async () => {
    expect((await admin.put('/consumers/bob', {})).body).toMatchObject({ username: 'bob', custom_id: null });
    expect((await admin.put('/consumers/eve')).status).toBe(200);
  });
});

describe('PATCH of an entity (2.4)', () => {
  it('changes what it names and nothing else', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test', path: '/x', retries: 2 });
    const { status, body } = await admin.patch('/services/web', { port: 81 });
    expect(status).toBe(200);
    expect(body).toEqual({ ...made.body, port: 81, updated_at: expect.any(Number) });
  });

  it('sets null, and refuses null for a required field', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test', path: '/x' });
    expect((await admin.patch('/services/web', { path: null })).body['path']).toBeNull();
    const { status, body } = await admin.patch('/services/web', { host: null });
    expect([status, body['fields']]).toEqual([400, { host: 'required field missing' }]);
  });

  it('answers 404 with the key for what is not there', async () => {
    const id = randomUUID();
    const byName = await admin.patch('/services/absent', {});
    expect([byName.status, byName.body]).toEqual([
      404,
      {
        code: 6,
        name: 'not found',
        fields: { name: 'absent' },
        message: `could not find the entity with '{name="absent"}'`,
      },
    ]);
    const byId = await admin.patch(`/services/${id}`, {});
    expect(byId.body).toMatchObject({
      fields: { id },
      message: `could not find the entity with primary key '{id="${id}"}'`,
    });
  });

  it('of nothing only bumps updated_at', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test', created_at: 5 });
    for (const answer of [await admin.patch('/services/web', {}), await admin.patch('/services/web')]) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ ...made.body, updated_at: expect.any(Number) });
    }
  });

  it('ignores an id in the body, and takes created_at', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test' });
    for (const id of [randomUUID(), 'nonsense', 5, null]) {
      const { status, body } = await admin.patch('/services/web', { id, created_at: 7 });
      expect([status, body['id'], body['created_at']]).toEqual([200, made.id, 7]);
    }
  });

  it('takes a whole row back, as the console sends it', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test' });
    const { status, body } = await admin.patch(`/services/${made.id}`, { ...made.body, enabled: false });
    expect([status, body['enabled']]).toEqual([200, false]);
  });

  it('replaces maps and lists whole', async () => {
    await admin.post('/routes', { name: 'r', headers: { a: ['1'], b: ['2'] }, hosts: ['a.test', 'b.test'] });
    const { body } = await admin.patch('/routes/r', { headers: { c: ['3'] }, hosts: ['c.test'] });
    expect(body).toMatchObject({ headers: { c: ['3'] }, hosts: ['c.test'] });
    expect(body['headers']).toEqual({ c: ['3'] });
  });

  it('clears the path of a service with a url that has none', async () => {
    await admin.post('/services', { name: 'web', url: 'http://a.test/x' });
    expect((await admin.patch('/services/web', { url: 'https://b.test' })).body).toMatchObject({
      protocol: 'https',
      host: 'b.test',
      port: 443,
      path: null,
    });
  });

  it('says when a stored value takes part in a broken rule', async () => {
    await admin.post('/consumers', { username: 'bob' });
    const { status, body } = await admin.patch('/consumers/bob', { username: null });
    expect([status, body['message']]).toEqual([
      400,
      `schema violation (when updating, at least one of these fields must be non-empty: 'custom_id', 'username')`,
    ]);
  });
});

describe('DELETE of an entity', () => {
  it('answers 204 whether it was there or not', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test' });
    for (const path of [
      '/services/web',
      '/services/web',
      `/services/${made.id}`,
      `/services/${randomUUID()}`,
    ]) {
      const { status, text } = await admin.delete(path);
      expect([status, text]).toEqual([204, '']);
    }
    expect((await admin.get(`/services/${made.id}`)).status).toBe(404);
  });

  it('of a service is refused while a route points at it', async () => {
    const service = await admin.post('/services', { name: 'web', host: 'a.test' });
    const route = await admin.post('/services/web/routes', { paths: ['/a'] });
    const { status, body } = await admin.delete('/services/web');
    expect([status, body]).toEqual([
      400,
      {
        code: 4,
        name: 'foreign key violation',
        fields: { '@referenced_by': 'routes' },
        message: `an existing 'routes' entity references this 'services' entity`,
      },
    ]);
    await admin.delete(`/routes/${route.id}`);
    expect((await admin.delete(`/services/${service.id}`)).status).toBe(204);
  });

  it('takes the plugins with it', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    const plugin = await admin.post('/services/web/plugins', { name: 'cors' });
    await admin.delete('/services/web');
    expect((await admin.get(`/plugins/${plugin.id}`)).status).toBe(404);
  });
});

describe('children of a parent', () => {
  it('are made with the reference, whatever the body says', async () => {
    const web = await admin.post('/services', { name: 'web', host: 'a.test' });
    const other = await admin.post('/services', { name: 'other', host: 'a.test' });
    const made = await admin.post('/services/web/routes', { paths: ['/a'], service: { id: other.id } });
    expect([made.status, made.body['service']]).toEqual([201, { id: web.id }]);
  });

  it('are listed, and 404 without the parent', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    await admin.post('/routes', { paths: ['/b'] });
    const made = await admin.post('/services/web/routes', { paths: ['/a'] });
    const listed = await admin.get('/services/web/routes');
    expect([listed.status, listed.body]).toEqual([200, { data: [made.body], next: null }]);
    for (const answer of [
      await admin.get('/services/absent/routes'),
      await admin.post('/services/absent/routes', {}),
      await admin.get('/services/absent/routes/x'),
      await admin.put('/services/absent/routes/x', {}),
      await admin.patch('/services/absent/routes/x', {}),
      await admin.delete('/services/absent/routes/x'),
    ]) {
      expect([answer.status, answer.body]).toEqual([404, NOT_FOUND]);
    }
  });

  it('of another parent are not found', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    await admin.post('/services', { name: 'other', host: 'a.test' });
    const { id } = await admin.post('/services/other/routes', { name: 'theirs', paths: ['/a'] });
    for (const key of [id, 'theirs', randomUUID(), 'nobody']) {
      expect((await admin.get(`/services/web/routes/${key}`)).status).toBe(404);
      expect((await admin.patch(`/services/web/routes/${key}`, {})).body).toEqual(NOT_FOUND);
      expect((await admin.delete(`/services/web/routes/${key}`)).status).toBe(404);
    }
    expect((await admin.get(`/routes/${id}`)).status).toBe(200);
  });

  it('can be read, changed and deleted below their parent', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    const { id } = await admin.post('/services/web/routes', { name: 'mine', paths: ['/a'] });
    expect((await admin.get('/services/web/routes/mine')).id).toBe(id);
    expect((await admin.patch(`/services/web/routes/${id}`, { paths: ['/b'] })).body['paths']).toEqual([
      '/b',
    ]);
    expect((await admin.delete('/services/web/routes/mine')).status).toBe(204);
    expect((await admin.delete('/services/web/routes/mine')).status).toBe(404);
  });

  it('are created, replaced and moved by PUT', async () => {
    const web = await admin.post('/services', { name: 'web', host: 'a.test' });
    const other = await admin.post('/services', { name: 'other', host: 'a.test' });
    const made = await admin.put('/services/web/routes/mine', { paths: ['/a'] });
    expect([made.status, made.body['service']]).toEqual([200, { id: web.id }]);
    const moved = await admin.put('/services/other/routes/mine', { paths: ['/a'] });
    expect(moved.body).toMatchObject({ id: made.id, service: { id: other.id } });
  });

  it('leave their parent by PATCH', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    const { id } = await admin.post('/services/web/routes', { paths: ['/a'] });
    const { status, body } = await admin.patch(`/services/web/routes/${id}`, { service: null });
    expect([status, body['service']]).toEqual([200, null]);
  });
});

describe('the parent through the child', () => {
  it('is read and changed', async () => {
    const web = await admin.post('/services', { name: 'web', host: 'a.test' });
    await admin.post('/services/web/routes', { name: 'r', paths: ['/a'] });
    expect((await admin.get('/routes/r/service')).body).toEqual(web.body);
    expect((await admin.patch('/routes/r/service', { port: 81 })).body).toMatchObject({
      id: web.id,
      port: 81,
    });
    const put = await admin.put('/routes/r/service', { host: 'b.test' });
    expect(put.body).toMatchObject({ id: web.id, host: 'b.test', port: 80, name: null });
    expect((await admin.delete('/routes/r/service')).status).toBe(405);
    expect((await admin.call('OPTIONS', '/routes/r/service')).headers['allow']).toBe(
      'DELETE, GET, HEAD, OPTIONS, PATCH, PUT',
    );
  });

  it('is 404 where there is none, but PUT makes and links one', async () => {
    await admin.post('/routes', { name: 'r', paths: ['/a'] });
    for (const path of ['/routes/r/service', '/routes/absent/service']) {
      expect((await admin.get(path)).body).toEqual(NOT_FOUND);
      expect((await admin.patch(path, {})).status).toBe(404);
      expect((await admin.delete(path)).status).toBe(404);
    }
    const made = await admin.put('/routes/r/service', { host: 'a.test' });
    expect(made.status).toBe(200);
    expect((await admin.get('/routes/r')).body['service']).toEqual({ id: made.id });
  });
});

describe('a successful write', () => {
  it('is published before it is answered, once', async () => {
    const made = await admin.post('/services', { name: 'web', host: 'a.test' });
    expect(admin.changes).toEqual([{ entity: 'services', operation: 'insert', id: made.id, row: made.body }]);
    const patched = await admin.patch('/services/web', { port: 81 });
    expect(admin.changes[1]).toEqual({
      entity: 'services',
      operation: 'update',
      id: made.id,
      row: patched.body,
      previous: made.body,
    });
    const put = await admin.put('/services/web', { host: 'b.test' });
    expect(admin.changes[2]).toMatchObject({ operation: 'upsert', row: put.body, previous: patched.body });
    await admin.delete('/services/web');
    expect(admin.changes[3]).toEqual({
      entity: 'services',
      operation: 'delete',
      id: made.id,
      previous: put.body,
    });
    expect(admin.changes).toHaveLength(4);
  });

  it('is the only kind that is published', async () => {
    await admin.post('/services', {});
    await admin.patch('/services/absent', {});
    await admin.delete('/services/absent');
    await admin.delete(`/services/${randomUUID()}`);
    await admin.get('/services');
    expect(admin.changes).toEqual([]);
  });
});
