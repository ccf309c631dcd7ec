/** Asks a database whether it answers, over a connection of its own: those of the pool may all be taken or dead. */
import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Rejects with the driver's error, after a bounded time in any case. */
export async function probeDatabase(database: Database): Promise<void> {
  if (database.kind === 'embedded') return void (await sql`select 1`.execute(database.kysely));
  const client = database.createClient();
  // It may break once more after it has rejected.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    // The server's farewell is not waited for: it may never come.
    client.end().catch(() => {});
  }
}
