/** Section 3.5: plugins, their config, their scopes. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(() => admin.empty());
afterAll(() => admin.close());

describe('a plugin', () => {
  it('comes back complete', async () => {
    const { status, body } = await admin.post('/plugins', { name: 'tiers' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      name: 'tiers',
      instance_name: null,
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      route: null,
      service: null,
      consumer: null,
      config: expect.objectContaining({
        minute: null,
        limit_by: 'consumer',
        list: ['x'],
        redis: { host: null, port: 6379 },
        redis_host: null,
      }),
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      enabled: true,
      tags: null,
    });
  });

  it('without a name, or with one that is not enabled, is refused for that alone', async () => {
    const unnamed = await admin.post('/plugins', { nope: 1 });
    expect([unnamed.status, unnamed.body['message']]).toEqual([
      400,
      'schema violation (name: required field missing)',
    ]);
    const unknown = await admin.post('/plugins', { name: 'x', nope: 1 });
    const text = "plugin 'x' not enabled; add it to the 'plugins' configuration property";
    expect(unknown.body).toEqual({
      code: 2,
      name: 'schema violation',
      fields: { name: text },
      message: `schema violation (name: ${text})`,
    });
  });

  it.each([
    [{ config: { minute: 'x' } }, { config: { minute: 'expected a number' } }],
    [{ config: 'x' }, { config: 'expected a record' }],
    [{ config: { nope: 1 } }, { config: { nope: 'unknown field' } }],
    [{ consumer_group: {} }, { consumer_group: 'unknown field' }],
    [{ ordering: {} }, { ordering: 'unknown field' }],
  ])('with %j is refused', async (members, fields) => {
    const { status, body } = await admin.post('/plugins', { name: 'tiers', ...members });
    expect([status, body['fields']]).toEqual([400, fields]);
  });

  it('with a scope its schema forbids is refused', async () => {
    const { id } = await admin.post('/consumers', { username: 'bob' });
    const { body } = await admin.post('/plugins', { name: 'key-auth', consumer: { id } });
    expect(body['message']).toBe('schema violation (consumer: value must be null)');
    expect((await admin.post('/consumers/bob/plugins', { name: 'key-auth' })).status).toBe(400);
  });

  it('shows deprecated members beside their successors', async () => {
    const old = await admin.post('/plugins', { name: 'tiers', config: { redis_host: 'r.test' } });
    expect(old.body['config']).toMatchObject({ redis: { host: 'r.test', port: 6379 }, redis_host: 'r.test' });
    const clash = await admin.patch(`/plugins/${old.id}`, {
      config: { redis_host: 'a', redis: { host: 'b' } },
    });
    expect([clash.status, clash.body['fields']]).toEqual([
      400,
      {
        redis_host:
          'both deprecated and new field are used but their values mismatch: redis_host = a vs redis.host = b',
      },
    ]);
  });

  it('takes its whole row back by PATCH', async () => {
    const made = await admin.post('/plugins', { name: 'tiers', config: { redis_host: 'r.test' } });
    const { status, body } = await admin.patch(`/plugins/${made.id}`, { ...made.body, enabled: false });
    expect([status, body]).toEqual([200, { ...made.body, enabled: false, updated_at: expect.any(Number) }]);
  });

  it('merges config by PATCH, and replaces lists and maps in it', async () => {
    const config = { minute: 1, list: ['a', 'b'], headers: { a: '1' }, redis: { port: 1 } };
    const { id } = await admin.post('/plugins', { name: 'tiers', config });
    const patch = { config: { limit_by: 'ip', list: ['c'], headers: { b: '2' }, redis: { host: 'r.test' } } };
    const { body } = await admin.patch(`/plugins/${id}`, patch);
    expect(body['config']).toMatchObject({
      minute: 1,
      limit_by: 'ip',
      list: ['c'],
      redis: { host: 'r.test', port: 1 },
    });
    expect((body['config'] as Record<string, unknown>)['headers']).toEqual({ b: '2' });
  });

  it('may change its name by PATCH only to one whose config fits', async () => {
    const { id } = await admin.post('/plugins', { name: 'tiers', config: { minute: 1 } });
    expect((await admin.patch(`/plugins/${id}`, { name: 'x' })).status).toBe(400);
  });

  it('that is absent answers PATCH with 404, plain without a name', async () => {
    const id = randomUUID();
    expect((await admin.patch(`/plugins/${id}`, {})).body).toEqual({ message: 'Not found' });
    const named = await admin.patch(`/plugins/${id}`, { name: 'cors' });
    expect([named.status, named.body['code']]).toEqual([404, 6]);
  });

  it('is found by its instance name', async () => {
    const { id } = await admin.post('/plugins', { name: 'cors', instance_name: 'mine' });
    expect((await admin.get('/plugins/mine')).id).toBe(id);
    const taken = await admin.post('/plugins', { name: 'tiers', instance_name: 'mine' });
    expect([taken.status, taken.body['fields']]).toEqual([409, { instance_name: 'mine' }]);
  });

  it('is made and replaced by PUT', async () => {
    const made = await admin.put('/plugins/mine', { name: 'cors' });
    expect([made.status, made.body['instance_name']]).toEqual([200, 'mine']);
    expect((await admin.put(`/plugins/${made.id}`, { name: 'cors', enabled: false })).body['enabled']).toBe(
      false,
    );
  });
});

describe('the scope of a plugin', () => {
  it('is unique together with its name, null counting as a value', async () => {
    const { id } = await admin.post('/consumers', { username: 'bob' });
    expect((await admin.post('/consumers/bob/plugins', { name: 'tiers' })).status).toBe(201);
    expect((await admin.post('/plugins', { name: 'tiers' })).status).toBe(201);
    const again = await admin.post('/consumers/bob/plugins', { name: 'tiers' });
    expect([again.status, again.body]).toEqual([
      409,
      {
        code: 5,
        name: 'unique constraint violation',
        fields: { name: 'tiers', consumer: { id }, route: null, service: null },
        message: `UNIQUE violation detected on '{consumer={id="${id}"},name="tiers",route=null,service=null}'`,
      },
    ]);
    expect((await admin.post('/plugins', { name: 'tiers' })).status).toBe(409);
  });

  it('can be read through the plugin', async () => {
    const { id } = await admin.post('/consumers', { username: 'bob' });
    const plugin = await admin.post('/consumers/bob/plugins', { name: 'tiers' });
    expect((await admin.get(`/plugins/${plugin.id}/consumer`)).id).toBe(id);
    expect((await admin.get(`/plugins/${plugin.id}/route`)).status).toBe(404);
    expect((await admin.get(`/consumers/bob/plugins/${plugin.id}`)).body).toEqual(plugin.body);
  });
});

describe('the protocols of a plugin', () => {
  it('must share one with its route', async () => {
    await admin.post('/routes', { name: 'r', paths: ['/a'], protocols: ['http'] });
    expect(
      (await admin.post('/routes/r/plugins', { name: 'cors', protocols: ['https', 'http'] })).status,
    ).toBe(201);
    const { status, body } = await admin.post('/routes/r/plugins', { name: 'tiers', protocols: ['grpc'] });
    expect([status, body['message']]).toEqual([
      400,
      "schema violation (protocols: must match the associated route's protocols)",
    ]);
  });

  it('must share one with a route of its service, if it has any', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test' });
    expect((await admin.post('/services/web/plugins', { name: 'cors', protocols: ['grpc'] })).status).toBe(
      201,
    );
    await admin.post('/services/web/routes', { paths: ['/a'], protocols: ['http'] });
    const { body } = await admin.post('/services/web/plugins', { name: 'tiers', protocols: ['grpc'] });
    expect(body['fields']).toEqual({
      protocols: "must match the protocols of at least one route pointing to this Plugin's service",
    });
  });

  it('are compared with the stored ones when PATCH gives it another scope', async () => {
    await admin.post('/routes', { name: 'r', paths: ['/a'], protocols: ['http'] });
    const { id } = await admin.post('/plugins', { name: 'cors', protocols: ['grpc'] });
    expect((await admin.patch(`/plugins/${id}`, { route: { name: 'r' } })).status).toBe(400);
    expect((await admin.patch(`/plugins/${id}`, { enabled: false })).status).toBe(200);
  });

  it('are not compared when the request does not name them', async () => {
    await admin.post('/routes', { name: 'r', paths: ['/a'], protocols: ['http'] });
    expect((await admin.post('/routes/r/plugins', { name: 'cors' })).status).toBe(201);
  });
});

describe('the catalog', () => {
  it('lists what this node has loaded', async () => {
    const { body } = await admin.get('/plugins/enabled');
    expect([...(body['enabled_plugins'] as string[])].sort()).toEqual(['cors', 'key-auth', 'tiers']);
  });

  it('shows the schema of a config', async () => {
    const { status, body } = await admin.get('/plugins/schema/tiers');
    expect(status).toBe(200);
    expect(body['fields']).toContainEqual({ minute: { type: 'number', gt: 0 } });
    const unknown = await admin.get('/plugins/schema/x');
    expect([unknown.status, unknown.body]).toEqual([404, { message: "No plugin named 'x'" }]);
  });
});
