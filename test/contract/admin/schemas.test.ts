/** Section 5: schemas and dry runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin.close());

const fieldsOf = (body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.assign({}, ...(body['fields'] as object[]));

describe('GET /schemas/{entity}', () => {
  it.each(['services', 'routes', 'consumers', 'plugins', 'keyauth_credentials'])(
    'describes %s',
    async (name) => {
      const { status, body } = await admin.get(`/schemas/${name}`);
      expect(status).toBe(200);
      expect(body['entity_checks']).toBeInstanceOf(Array);
      for (const field of body['fields'] as object[]) expect(Object.keys(field)).toHaveLength(1);
    },
  );

  it('shows types, defaults and bounds, and no shorthand of the entity', async () => {
    const fields = fieldsOf((await admin.get('/schemas/services')).body);
    expect(fields['retries']).toEqual({ type: 'integer', between: [0, 32767], default: 5 });
    expect(fields['protocol']).toMatchObject({ required: true, default: 'http' });
    expect(fields).not.toHaveProperty('url');
  });

  it.each(['nothing', 'consumer_groups', 'key-auths', 'constructor', '__proto__'])(
    'knows no %s',
    async (name) => {
      for (const answer of [
        await admin.get(`/schemas/${name}`),
        await admin.post(`/schemas/${name}/validate`, {}),
      ]) {
        expect([answer.status, answer.body]).toEqual([404, { message: `No entity named '${name}'` }]);
      }
    },
  );
});

describe('GET /schemas/plugins/{name}', () => {
  it('describes config, protocols and refused scopes', async () => {
    const fields = fieldsOf((await admin.get('/schemas/plugins/key-auth')).body);
    expect(fields['consumer']).toMatchObject({ type: 'foreign', reference: 'consumers', eq: null });
    expect(fields['protocols']).toMatchObject({ type: 'set', default: ['grpc', 'grpcs', 'http', 'https'] });
    expect(fields['config']).toMatchObject({ type: 'record', required: true });
    expect(fieldsOf(fields['config'] as Record<string, unknown>)['key_names']).toMatchObject({
      default: ['apikey'],
    });
  });

  it('keeps deprecated members apart, with where they went', async () => {
    const { config } = fieldsOf((await admin.get('/schemas/plugins/tiers')).body);
    expect((config as Record<string, unknown>)['shorthand_fields']).toEqual([
      {
        redis_host: {
          type: 'string',
          deprecation: {
            message: 'use redis.host',
            removal_in_version: '4.0',
            replaced_with: [{ path: ['redis', 'host'] }],
          },
        },
      },
    ]);
  });

  it.each(['x', 'constructor'])('knows no plugin %s', async (name) => {
    const { status, body } = await admin.get(`/schemas/plugins/${name}`);
    expect([status, body]).toEqual([404, { message: `No plugin named '${name}'` }]);
  });

  it('knows no vault', async () => {
    expect((await admin.get('/schemas/vaults/x')).body).toEqual({ message: "No vault named 'x'" });
  });
});

describe('POST /schemas/{entity}/validate', () => {
  it('stores nothing, and does not ask whether a name is free or a reference leads anywhere', async () => {
    await admin.put('/services/web', { host: 'a.test' });
    const before = admin.changes.length;
    for (const [entity, input] of [
      ['services', { name: 'web', host: 'a.test' }],
      ['services', { url: 'http://a.test' }],
      ['routes', { paths: ['/a'], service: { id: '5f5f5f5f-5f5f-4f5f-8f5f-5f5f5f5f5f5f' } }],
      ['plugins', { name: 'tiers', config: { minute: 1 } }],
    ] as const) {
      const { status, body } = await admin.post(`/schemas/${entity}/validate`, input);
      expect([status, body]).toEqual([200, { message: 'schema validation successful' }]);
    }
    expect(admin.changes).toHaveLength(before);
    expect((await admin.get('/routes')).data).toEqual([]);
  });

  it.each([
    ['services', {}, 'schema violation (host: required field missing)'],
    ['plugins', {}, 'schema violation (name: required field missing)'],
    [
      'plugins',
      { name: 'tiers', config: { minute: 'x' } },
      'schema violation (config.minute: expected a number)',
    ],
  ])('says what is wrong with %s %j', async (entity, input, message) => {
    const { status, body } = await admin.post(`/schemas/${entity}/validate`, input);
    expect([status, body['code'], body['message']]).toEqual([400, 2, message]);
  });
});
