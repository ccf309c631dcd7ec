/** Section 3.11: groups of consumers. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
let bobId: string;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(async () => {
  await admin.empty();
  bobId = (await admin.post('/consumers', { username: 'bob' })).id;
});
afterAll(() => admin.close());

const NOT_FOUND = { message: 'Not found' };

it('shows every field of a group that was made', async () => {
  const { status, body } = await admin.post('/consumers/bob/acls', { group: 'gold', tags: ['a'] });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.any(String),
    created_at: expect.any(Number),
    consumer: { id: bobId },
    group: 'gold',
    tags: ['a'],
  });
});

it('takes and gives a group by its name below its consumer', async () => {
  const made = await admin.put('/consumers/bob/acls/gold');
  expect([made.status, made.body['group'], made.body['consumer']]).toEqual([200, 'gold', { id: bobId }]);
  expect((await admin.put('/consumers/bob/acls/gold', { tags: ['t'] })).id).toBe(made.id);
  for (const key of ['gold', made.id, made.id.toUpperCase()]) {
    const { status, body } = await admin.get(`/consumers/bob/acls/${key}`);
    expect([status, body['tags']]).toEqual([200, ['t']]);
  }
  const renamed = await admin.patch('/consumers/bob/acls/gold', { group: 'silver' });
  expect([renamed.status, renamed.id]).toEqual([200, made.id]);
  expect((await admin.get('/consumers/bob/acls/gold')).body).toEqual(NOT_FOUND);
  expect((await admin.delete('/consumers/bob/acls/silver')).status).toBe(204);
  const missing = await admin.delete('/consumers/bob/acls/silver');
  expect([missing.status, missing.body]).toEqual([404, NOT_FOUND]);
  expect((await admin.patch('/consumers/bob/acls/silver', {})).status).toBe(404);
});

it('takes names with characters of any kind', async () => {
  const name = 'a b/ü%?';
  const { id } = await admin.put(`/consumers/bob/acls/${encodeURIComponent(name)}`);
  expect((await admin.get(`/consumers/bob/acls/${encodeURIComponent(name)}`)).id).toBe(id);
});

it('has a consumer once in a group, and several consumers in one', async () => {
  const eve = await admin.post('/consumers', { username: 'eve' });
  await admin.post('/consumers/bob/acls', { group: 'gold' });
  expect((await admin.post('/consumers/eve/acls', { group: 'gold' })).status).toBe(201);
  const again = await admin.post('/acls', { group: 'gold', consumer: { id: bobId } });
  expect([again.status, again.body]).toEqual([
    409,
    {
      code: 5,
      name: 'unique constraint violation',
      fields: { consumer: { id: bobId }, group: 'gold' },
      message: `UNIQUE violation detected on '{consumer={id="${bobId}"},group="gold"}'`,
    },
  ]);
  const own = await admin.get('/consumers/eve/acls/gold');
  expect(own.body['consumer']).toEqual({ id: eve.id });
  expect((await admin.get(`/consumers/bob/acls/${own.id}`)).status).toBe(404);
  expect((await admin.get('/acls')).data).toHaveLength(2);
  expect((await admin.get('/consumers/bob/acls')).data).toHaveLength(1);
});

it('knows a group by its id alone outside of its consumer', async () => {
  const { id } = await admin.post('/acls', { group: 'gold', consumer: { username: 'bob' } });
  expect((await admin.get(`/acls/${id}`)).body['group']).toBe('gold');
  expect((await admin.get(`/acls/${id}/consumer`)).id).toBe(bobId);
  const named = await admin.get('/acls/gold');
  expect([named.status, named.body['code']]).toEqual([400, 1]);
  expect((await admin.get('/acls?tags=x')).data).toEqual([]);
  const put = await admin.put(`/acls/${randomUUID()}`, { group: 'silver', consumer: { id: bobId } });
  expect([put.status, put.body['group']]).toEqual([200, 'silver']);
});

it.each([
  [{}, '2 schema violations (consumer: required field missing; group: required field missing)'],
  [{ group: 'g' }, 'schema violation (consumer: required field missing)'],
])('refuses %j at the top', async (input, message) => {
  const { status, body } = await admin.post('/acls', input);
  expect([status, body['message']]).toEqual([400, message]);
});

it.each([
  [{}, { group: 'required field missing' }],
  [{ group: null }, { group: 'required field missing' }],
  [{ group: 5 }, { group: 'expected a string' }],
  [{ group: '' }, { group: 'length must be at least 1' }],
  [{ group: 'g', ttl: 5 }, { ttl: 'unknown field' }],
])('refuses %j below a consumer', async (input, fields) => {
  const { status, body } = await admin.post('/consumers/bob/acls', input);
  expect([status, body['fields']]).toEqual([400, fields]);
});

it('says which text is too long to be kept apart from others', async () => {
  const group = Array.from({ length: 400 }, () => randomUUID()).join('');
  const { status, body } = await admin.post('/consumers/bob/acls', { group });
  expect([status, body['fields']]).toEqual([400, { group: 'value is too long to be indexed' }]);
});

it('goes with its consumer', async () => {
  const { id } = await admin.post('/consumers/bob/acls', { group: 'gold' });
  await admin.delete('/consumers/bob');
  expect((await admin.get(`/acls/${id}`)).status).toBe(404);
});

it('is described like every entity', async () => {
  const { body } = await admin.get('/schemas/acls');
  expect(body['fields']).toContainEqual({ group: { type: 'string', required: true } });
});
