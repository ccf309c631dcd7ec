/** Section 3.11: keys by which consumers sign tokens. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
let bobId: string;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(async () => {
  await admin.empty();
  bobId = (await admin.post('/consumers', { username: 'bob' })).id;
  await admin.post('/consumers', { username: 'eve' });
});
afterAll(() => admin.close());

const PEM = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
  type: 'spki',
  format: 'pem',
}) as string;
const make = (members: Record<string, unknown> = {}) => admin.post('/consumers/bob/jwt', members);

it('makes up a key and a secret', async () => {
  const { status, body } = await make();
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.any(String),
    created_at: expect.any(Number),
    consumer: { id: bobId },
    key: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    secret: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    rsa_public_key: null,
    algorithm: 'HS256',
    tags: null,
  });
});

it('takes those that are given', async () => {
  const given = { key: 'k', secret: 's', algorithm: 'RS512', rsa_public_key: PEM, tags: ['t'] };
  expect((await make(given)).body).toMatchObject(given);
});

it('is reached by id and by key, below its own consumer alone', async () => {
  const { id } = await make({ key: 'mine' });
  for (const key of [id, 'mine']) {
    expect((await admin.get(`/consumers/bob/jwt/${key}`)).id).toBe(id);
    expect((await admin.get(`/jwts/${key}`)).id).toBe(id);
    expect((await admin.get(`/jwts/${key}/consumer`)).id).toBe(bobId);
    expect((await admin.get(`/consumers/eve/jwt/${key}`)).status).toBe(404);
    expect((await admin.delete(`/consumers/eve/jwt/${key}`)).status).toBe(404);
  }
  expect((await admin.get('/jwts')).data).toHaveLength(1);
});

it('keeps in a PATCH what that does not name, and starts anew in a PUT', async () => {
  const { body } = await make({ key: 'mine', secret: 'old' });
  const patched = await admin.patch('/consumers/bob/jwt/mine', { algorithm: 'HS512' });
  expect(patched.body).toEqual({ ...body, algorithm: 'HS512' });
  const replaced = await admin.put('/consumers/bob/jwt/mine', {});
  expect([replaced.status, replaced.id, replaced.body['key']]).toEqual([200, body['id'], 'mine']);
  expect(replaced.body['algorithm']).toBe('HS256');
  expect(replaced.body['secret']).not.toBe('old');
});

it('has a key that nobody else has', async () => {
  await make({ key: 'mine' });
  const { status, body } = await admin.post('/consumers/eve/jwt', { key: 'mine' });
  expect([status, body['message']]).toEqual([409, `UNIQUE violation detected on '{key="mine"}'`]);
});

describe('a public key', () => {
  const CONDITIONAL = "failed conditional validation given value of field 'algorithm'";
  const PUBLIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];

  it.each(PUBLIC)('has to be given for %s', async (algorithm) => {
    const { status, body } = await make({ algorithm });
    expect([status, body]).toEqual([
      400,
      {
        code: 2,
        name: 'schema violation',
        fields: { '@entity': [CONDITIONAL], rsa_public_key: 'required field missing' },
        message: `2 schema violations (${CONDITIONAL}; rsa_public_key: required field missing)`,
      },
    ]);
  });

  it.each(PUBLIC)('has to be one for %s', async (algorithm) => {
    const { status, body } = await make({ algorithm, rsa_public_key: 'no key' });
    expect([status, body['fields']]).toEqual([
      400,
      { '@entity': [CONDITIONAL], rsa_public_key: 'invalid key' },
    ]);
    expect((await make({ algorithm, rsa_public_key: PEM })).status).toBe(201);
  });

  it.each(['HS256', 'ES256', 'ES384', 'ES512'])('may be absent for %s', async (algorithm) => {
    expect((await make({ algorithm })).status).toBe(201);
  });

  it('may not be taken away', async () => {
    const { id } = await make({ algorithm: 'RS256', rsa_public_key: PEM });
    expect((await admin.patch(`/jwts/${id}`, { rsa_public_key: null })).status).toBe(400);
    expect((await admin.patch(`/jwts/${id}`, { rsa_public_key: null, algorithm: 'HS256' })).status).toBe(200);
  });

  it('is told to be of the wrong type by itself', async () => {
    const { body } = await make({ algorithm: 'RS256', rsa_public_key: 5 });
    expect(body['fields']).toEqual({ rsa_public_key: 'expected a string' });
  });
});

it.each([
  [{ algorithm: 'none' }, { algorithm: expect.stringMatching(/^expected one of: HS256, .*EdDSA$/) }],
  [{ algorithm: 'hs256' }, { algorithm: expect.stringMatching(/^expected one of: /) }],
  [{ key: 5 }, { key: 'expected a string' }],
  [{ secret: '' }, { secret: 'length must be at least 1' }],
  [{ ttl: 5 }, { ttl: 'unknown field' }],
])('refuses %j', async (input, fields) => {
  const { status, body } = await make(input);
  expect([status, body['fields']]).toEqual([400, fields]);
});

it('needs a consumer, which takes it along', async () => {
  const { status, body } = await admin.post('/jwts', {});
  expect([status, body['message']]).toEqual([400, 'schema violation (consumer: required field missing)']);
  const { id } = await make();
  await admin.delete('/consumers/bob');
  expect((await admin.get(`/jwts/${id}`)).status).toBe(404);
});
