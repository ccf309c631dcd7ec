/** Section 3.11: usernames and passwords of consumers. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
let bobId: string;
let eveId: string;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(async () => {
  await admin.empty();
  bobId = (await admin.post('/consumers', { username: 'bob' })).id;
  eveId = (await admin.post('/consumers', { username: 'eve' })).id;
});
afterAll(() => admin.close());

const UNHASHABLE = "all or none of these fields must be set: 'password', 'consumer.id'";
const hashed = (password: string, consumerId: string) =>
  createHash('sha1')
    .update(password + consumerId)
    .digest('hex');

const make = (members: Record<string, unknown> = {}) =>
  admin.post('/consumers/bob/basic-auth', { username: 'ada', password: 'secret', ...members });

it('keeps and shows a hash instead of the password', async () => {
  const { status, body, text } = await make({ tags: ['t'] });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.any(String),
    created_at: expect.any(Number),
    consumer: { id: bobId },
    username: 'ada',
    password: hashed('secret', bobId),
    tags: ['t'],
  });
  expect(text).not.toContain('secret');
  expect(JSON.stringify(admin.changes)).not.toContain('secret');
});

it('hashes what is beyond ASCII as UTF-8', async () => {
  const { body } = await make({ password: 'pässwörd ☃' });
  expect(body['password']).toBe(hashed('pässwörd ☃', bobId));
});

it('hashes a form like JSON', async () => {
  const { body } = await admin.form('POST', '/consumers/bob/basic-auth', 'username=ada&password=123');
  expect(body['password']).toBe(hashed('123', bobId));
});

it('is reached by id and by username, below its own consumer alone', async () => {
  const { id } = await make();
  for (const key of [id, 'ada']) {
    expect((await admin.get(`/consumers/bob/basic-auth/${key}`)).id).toBe(id);
    expect((await admin.get(`/basic-auths/${key}`)).id).toBe(id);
    expect((await admin.get(`/basic-auths/${key}/consumer`)).id).toBe(bobId);
    expect((await admin.get(`/consumers/eve/basic-auth/${key}`)).status).toBe(404);
    expect((await admin.patch(`/consumers/eve/basic-auth/${key}`, { password: 'x' })).status).toBe(404);
    expect((await admin.delete(`/consumers/eve/basic-auth/${key}`)).status).toBe(404);
  }
  expect((await admin.get('/basic-auths')).data).toHaveLength(1);
  expect((await admin.get('/consumers/eve/basic-auth')).data).toEqual([]);
});

it('keeps the password in a PATCH that does not name it', async () => {
  const { id } = await make();
  const { status, body } = await admin.patch(`/basic-auths/${id}`, { username: 'grace', tags: ['a'] });
  expect([status, body['username'], body['password']]).toEqual([200, 'grace', hashed('secret', bobId)]);
  const same = await admin.patch(`/basic-auths/${id}`, { consumer: { id: bobId } });
  expect([same.status, same.body['password']]).toEqual([200, hashed('secret', bobId)]);
});

it.each(['/basic-auths/ada', '/consumers/bob/basic-auth/ada'])(
  'hashes the password of a PATCH to %s',
  async (path) => {
    await make();
    const { status, body } = await admin.patch(path, { password: 'other' });
    expect([status, body['password']]).toEqual([200, hashed('other', bobId)]);
  },
);

it('goes to another consumer only with its password', async () => {
  await make();
  const alone = await admin.patch('/basic-auths/ada', { consumer: { id: eveId } });
  expect([alone.status, alone.body]).toEqual([
    400,
    {
      code: 2,
      name: 'schema violation',
      fields: { '@entity': [UNHASHABLE] },
      message: `schema violation (${UNHASHABLE})`,
    },
  ]);
  const both = await admin.patch('/basic-auths/ada', { consumer: { username: 'eve' }, password: 'secret' });
  expect([both.status, both.body['password']]).toEqual([200, hashed('secret', eveId)]);
});

it('is made and replaced by PUT, by username and by id', async () => {
  const made = await admin.put('/consumers/bob/basic-auth/ada', { password: 'one' });
  expect([made.status, made.body['username'], made.body['password']]).toEqual([
    200,
    'ada',
    hashed('one', bobId),
  ]);
  const replaced = await admin.put(`/basic-auths/${made.id}`, {
    username: 'grace',
    password: 'two',
    consumer: { id: eveId },
  });
  expect([replaced.status, replaced.body['password']]).toEqual([200, hashed('two', eveId)]);
  const bare = await admin.put('/consumers/eve/basic-auth/grace', {});
  expect([bare.status, bare.body['fields']]).toEqual([400, { password: 'required field missing' }]);
});

it('has a username that nobody else has', async () => {
  await make();
  const { status, body } = await admin.post('/consumers/eve/basic-auth', { username: 'ada', password: 'p' });
  expect([status, body['message']]).toEqual([409, `UNIQUE violation detected on '{username="ada"}'`]);
});

it.each([
  [{}, { username: 'required field missing', password: 'required field missing' }],
  [{ username: 'ada' }, { password: 'required field missing' }],
  [{ username: 'ada', password: '' }, { password: 'length must be at least 1' }],
  [
    { username: 5, password: 6 },
    { username: 'expected a string', password: 'expected a string' },
  ],
  [{ username: 'ada', password: null }, { password: 'required field missing' }],
  [{ username: 'ada', password: 'p', ttl: 5 }, { ttl: 'unknown field' }],
])('refuses %j', async (input, fields) => {
  const { status, body } = await admin.post('/consumers/bob/basic-auth', input);
  expect([status, body['fields']]).toEqual([400, fields]);
});

it('needs a consumer, which takes it along', async () => {
  const { status, body } = await admin.post('/basic-auths', { username: 'ada', password: 'p' });
  expect([status, body['message']]).toEqual([400, 'schema violation (consumer: required field missing)']);
  const { id } = await make();
  await admin.delete('/consumers/bob');
  expect((await admin.get(`/basic-auths/${id}`)).status).toBe(404);
});
