/** Sections 3.3 and 3.11: consumers, and their API keys. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(() => admin.empty());
afterAll(() => admin.close());

describe('a consumer', () => {
  it('needs a username or a custom_id', async () => {
    const { status, body } = await admin.post('/consumers', {});
    expect([status, body['message']]).toEqual([
      400,
      "schema violation (at least one of these fields must be non-empty: 'custom_id', 'username')",
    ]);
    expect((await admin.post('/consumers', { custom_id: 'c' })).status).toBe(201);
  });

  it('may have any characters in its username', async () => {
    const { id } = await admin.post('/consumers', { username: 'a b/ü%?' });
    expect((await admin.get(`/consumers/${encodeURIComponent('a b/ü%?')}`)).id).toBe(id);
  });

  it('is found by custom_id in the list', async () => {
    const { body } = await admin.post('/consumers', { username: 'bob', custom_id: '7' });
    await admin.post('/consumers', { username: 'eve' });
    expect((await admin.get('/consumers?custom_id=7')).body).toEqual({ data: [body], next: null });
    expect((await admin.get('/consumers?custom_id=8')).body).toEqual({ data: [], next: null });
  });

  it.each(['custom_id=', 'custom_id'])('is not looked up by %s', async (query) => {
    const { status, body } = await admin.get(`/consumers?${query}`);
    expect([status, body]).toEqual([400, { message: 'custom_id must be an unempty string' }]);
  });

  it('takes its plugins and keys with it', async () => {
    await admin.post('/consumers', { username: 'bob' });
    const plugin = await admin.post('/consumers/bob/plugins', { name: 'tiers' });
    const key = await admin.post('/consumers/bob/key-auth', { key: 'k' });
    await admin.delete('/consumers/bob');
    expect((await admin.get(`/plugins/${plugin.id}`)).status).toBe(404);
    expect((await admin.get(`/key-auths/${key.id}`)).status).toBe(404);
  });
});

describe('a key', () => {
  beforeEach(async () => {
    await admin.post('/consumers', { username: 'bob' });
  });

  it('is generated when none is given', async () => {
    const consumer = await admin.get('/consumers/bob');
    const { status, body } = await admin.post('/consumers/bob/key-auth');
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      created_at: expect.any(Number),
      consumer: { id: consumer.id },
      key: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
      tags: null,
      ttl: null,
    });
  });

  it('is unique', async () => {
    await admin.post('/consumers/bob/key-auth', { key: 'k' });
    const { status, body } = await admin.post('/consumers/bob/key-auth', { key: 'k' });
    expect([status, body['fields']]).toEqual([409, { key: 'k' }]);
  });

  it('is reached by id and key, through its consumer alone', async () => {
    await admin.post('/consumers', { username: 'eve' });
    const { id } = await admin.post('/consumers/bob/key-auth', { key: 'k' });
    for (const key of [id, 'k']) {
      expect((await admin.get(`/consumers/bob/key-auth/${key}`)).status).toBe(200);
      expect((await admin.get(`/key-auths/${key}`)).id).toBe(id);
      expect((await admin.get(`/key-auths/${key}/consumer`)).body['username']).toBe('bob');
      expect((await admin.get(`/consumers/eve/key-auth/${key}`)).status).toBe(404);
      expect((await admin.delete(`/consumers/eve/key-auth/${key}`)).status).toBe(404);
    }
    expect((await admin.delete('/consumers/bob/key-auth/k')).status).toBe(204);
    expect((await admin.delete('/consumers/bob/key-auth/k')).status).toBe(404);
  });

  it('is made by PUT', async () => {
    const { status, body } = await admin.put('/consumers/bob/key-auth/abc', {});
    expect([status, body['key']]).toEqual([200, 'abc']);
    const id = randomUUID();
    expect((await admin.put(`/consumers/bob/key-auth/${id}`, { key: 'def' })).body).toMatchObject({
      id,
      key: 'def',
    });
  });

  it('needs a consumer at the top level', async () => {
    expect((await admin.post('/key-auths', {})).body['message']).toBe(
      'schema violation (consumer: required field missing)',
    );
    expect((await admin.post('/key-auths', { consumer: { username: 'bob' } })).status).toBe(201);
  });

  it('takes back what the console sends: itself, its consumer, a ttl of 0', async () => {
    const { id, body } = await admin.post('/consumers/bob/key-auth', { key: 'k', ttl: 0 });
    expect(body['ttl']).toBeNull();
    const patched = await admin.patch(`/consumers/bob/key-auth/${id}`, { ...body, ttl: 0 });
    expect([patched.status, patched.body]).toEqual([200, body]);
  });

  it('shows the seconds it has left, and is gone when they are over', async () => {
    const { body } = await admin.post('/consumers/bob/key-auth', { key: 'k', ttl: 1000 });
    expect(body['ttl']).toBeGreaterThan(900);
    expect((await admin.patch('/key-auths/k', { tags: ['a'] })).body['ttl']).toBeGreaterThan(900);
    expect((await admin.patch('/key-auths/k', { ttl: 0 })).body['ttl']).toBeNull();
    expect((await admin.form('PATCH', '/key-auths/k', 'ttl=50')).body['ttl']).toBeGreaterThan(40);
    await admin.patch('/key-auths/k', { ttl: 1 });
    await expect.poll(async () => (await admin.get('/key-auths/k')).status, { timeout: 5000 }).toBe(404);
  });

  it.each([-1, 1.5, 'x', 100_000_001])('refuses a ttl of %j', async (ttl) => {
    const text = 'must be an integer between 0 and 100000000';
    const { status, body } = await admin.post('/consumers/bob/key-auth', { ttl });
    expect([status, body]).toEqual([
      400,
      { code: 11, name: 'invalid options', message: `invalid option (ttl: ${text})`, options: { ttl: text } },
    ]);
  });

  it('is the only one of these entities that knows ttl', async () => {
    expect((await admin.post('/consumers', { username: 'x', ttl: 5 })).body['fields']).toEqual({
      ttl: 'unknown field',
    });
  });
});
