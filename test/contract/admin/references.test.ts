/** Section 1.5: references by id, by unique field, and how they fail; section 4: the order of checks. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
let serviceId: string;
beforeAll(async () => {
  admin = await startAdmin();
  serviceId = (await admin.post('/services', { name: 'web', host: 'a.test' })).id;
  await admin.post('/consumers', { username: 'bob', custom_id: '7' });
});
afterAll(() => admin.close());

describe('a reference', () => {
  it.each([
    ['its id', () => ({ id: serviceId })],
    ['its id in upper case', () => ({ id: serviceId.toUpperCase() })],
    ['its id beside members that are ignored', () => ({ id: serviceId, name: 'other', nope: 1 })],
    ['its name', () => ({ name: 'web' })],
  ])('by %s shows as the id alone', async (_name, service) => {
    const { status, body } = await admin.post('/routes', { paths: ['/a'], service: service() });
    expect([status, body['service']]).toEqual([201, { id: serviceId }]);
  });

  it.each([{ username: 'bob' }, { custom_id: '7' }])('may use any unique field: %j', async (consumer) => {
    const { status, body } = await admin.post('/plugins', { name: 'tiers', consumer });
    expect(status).toBe(201);
    await admin.delete(`/plugins/${String(body['id'])}`);
  });

  it('to a unique field nobody has is code 13', async () => {
    const { status, body } = await admin.post('/routes', { paths: ['/a'], service: { name: 'x' } });
    const text = `the foreign key cannot be resolved with '{name="x"}' for an existing 'services' entity`;
    expect([status, body]).toEqual([
      400,
      {
        code: 13,
        name: 'foreign keys unresolved',
        fields: { service: { name: text } },
        message: `foreign key unresolved (service.name: ${text})`,
      },
    ]);
  });

  it.each([['abc'], [{}], [5], [true], [['x']], [{ name: null }]])('%j names nothing', async (service) => {
    const { status, body } = await admin.post('/routes', { paths: ['/a'], service });
    expect([status, body]).toEqual([
      400,
      {
        code: 2,
        name: 'schema violation',
        fields: { service: { id: 'missing primary key' } },
        message: 'schema violation (service.id: missing primary key)',
      },
    ]);
  });

  it('with members its target could not have says which', async () => {
    const { body } = await admin.post('/routes', { paths: ['/a'], service: { protocol: 'nope' } });
    expect(body['message']).toBe(
      'schema violation (service.protocol: expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp)',
    );
  });

  it('by an id without a row is code 4', async () => {
    const id = randomUUID();
    for (const answer of [
      await admin.post('/routes', { paths: ['/a'], service: { id } }),
      await admin.put('/routes/r', { paths: ['/a'], service: { id } }),
    ]) {
      expect([answer.status, answer.body]).toEqual([
        400,
        {
          code: 4,
          name: 'foreign key violation',
          fields: { service: { id } },
          message: `the foreign key '{id="${id}"}' does not reference an existing 'services' entity.`,
        },
      ]);
    }
  });

  it('can be cleared', async () => {
    const { id } = await admin.post('/routes', { paths: ['/a'], service: { id: serviceId } });
    expect((await admin.patch(`/routes/${id}`, { service: null })).body['service']).toBeNull();
  });
});

describe('the order of checks (section 4)', () => {
  it('puts the missing parent before the body, and the entity before its references', async () => {
    expect((await admin.post('/services/absent/routes', { nope: 1 })).status).toBe(404);
    expect((await admin.patch('/routes/absent', { service: { name: 'x' } })).body['code']).toBe(6);
  });

  it('puts unresolved references before the schema, and the schema before the database', async () => {
    expect((await admin.post('/routes', { nope: 1, service: { name: 'x' } })).body['code']).toBe(13);
    const id = randomUUID();
    expect((await admin.post('/routes', { nope: 1, service: { id } })).body['code']).toBe(2);
  });

  it('puts unique clashes before references by id', async () => {
    await admin.put('/routes/taken', { paths: ['/a'] });
    const answer = await admin.post('/routes', {
      name: 'taken',
      paths: ['/a'],
      service: { id: randomUUID() },
    });
    expect(answer.body['code']).toBe(5);
  });
});

describe('bodies of errors (section 4)', () => {
  it('reports all fields together, sorted', async () => {
    const { status, body } = await admin.post('/services', { host: 'a.test', port: '80', nope: 1 });
    expect([status, body]).toEqual([
      400,
      {
        code: 2,
        name: 'schema violation',
        fields: { nope: 'unknown field', port: 'expected an integer' },
        message: '2 schema violations (nope: unknown field; port: expected an integer)',
      },
    ]);
  });

  it('lists what concerns the entity first', async () => {
    const { body } = await admin.post('/routes', {});
    const text = `must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'`;
    expect(body).toEqual({
      code: 2,
      name: 'schema violation',
      fields: { '@entity': [text] },
      message: `schema violation (${text})`,
    });
  });

  it('keeps the positions of list errors', async () => {
    const { body } = await admin.post('/routes', { paths: ['/a'], methods: ['GET', 'get'] });
    expect(body['fields']).toEqual({ methods: [null, 'invalid value: get'] });
    expect(body['message']).toBe('schema violation (methods.2: invalid value: get)');
  });
});
