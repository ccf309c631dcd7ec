import { Client } from 'pg';
import { expect, it } from 'vitest';
import { createTestDatabase } from './test-database.ts';

it('is empty, takes tables, and is gone after drop although a connection is open', async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await client.query('create table probe (id int)');
  await database.drop();
  await client.end().catch(() => {});
  const late = new Client({ connectionString: database.url });
  await expect(late.connect()).rejects.toThrow('does not exist');
});

it('is another one at each call', async () => {
  const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  expect(first.url).not.toBe(second.url);
  await Promise.all([first.drop(), second.drop()]);
});
