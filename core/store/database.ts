/** Opening and closing the database: Postgres over a pool, or Postgres in WebAssembly (PGlite) in a data folder. */
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import { StoreUnavailableError } from './entity-error.ts';
import { lockDataFolder } from './lock-data-folder.ts';

export type DatabaseSettings = EmbeddedSettings | PostgresSettings;

export interface EmbeddedSettings {
  readonly kind: 'embedded';
  /** Created when missing. One process at a time. */
  readonly dataDir: string;
}

export type PostgresSettings = { readonly kind: 'postgres'; readonly limits?: PostgresLimits } & (
  | { readonly connectionString: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password?: string;
      readonly database: string;
      /** `verify` checks the server's certificate, `true` only encrypts. */
      readonly ssl: boolean | 'verify';
    }
);

export interface PostgresLimits {
  /** Default 5000. */
  readonly statementTimeoutMs?: number;
  /** Default 2500. */
  readonly connectTimeoutMs?: number;
  /** Default 10. */
  readonly maxConnections?: number;
}

/** Tables are described by the entity definitions at run time, so their columns are not types here. */
export type Tables = Record<string, Record<string, unknown>>;

export type Database =
  | {
      readonly kind: 'embedded';
      readonly kysely: Kysely<Tables>;
      readonly pglite: PGlite;
      close(): Promise<void>;
    }
  | {
      readonly kind: 'postgres';
      readonly kysely: Kysely<Tables>;
      readonly pool: pg.Pool;
      /** A connection beside the pool, not connected yet; its queries have time limits on this side too. */
      createClient(): pg.Client;
      /** Cuts the pool's connections: what waits on one that died in silence fails at once, and new ones are made. */
      dropConnections(): void;
      close(): Promise<void>;
    };

const DEFAULT_STATEMENT_TIMEOUT_MS = 5000;
const DEFAULT_CONNECT_TIMEOUT_MS = 2500;
const DEFAULT_MAX_CONNECTIONS = 10;
const CLOSE_TIMEOUT_MS = 2000;

/**
 * Postgres connects with the first query, so this succeeds while it is down. An embedded database is open when this
 * resolves; throws StoreUnavailableError when its folder is in use or cannot be opened.
 */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  return settings.kind === 'embedded' ? openEmbedded(settings) : openPostgres(settings);
}

/** Waits for running queries, on Postgres for a bounded time. The database must not be used afterwards. */
export async function closeDatabase(database: Database): Promise<void> {
  await database.close();
}

async function openEmbedded({ dataDir }: EmbeddedSettings): Promise<Database> {
  await mkdir(dirname(dataDir), { recursive: true });
  const unlock = await lockDataFolder(dataDir);
  try {
    const pglite = await PGlite.create({ dataDir });
    const kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
    const close = async () => {
      await kysely.destroy();
      // Kysely closes only what it has used.
      if (!pglite.closed) await pglite.close();
      await unlock();
    };
    return { kind: 'embedded', kysely, pglite, close };
  } catch (error) {
    await unlock();
    throw new StoreUnavailableError(error);
  }
}

function openPostgres(settings: PostgresSettings): Database {
  const { statementTimeoutMs, connectTimeoutMs, maxConnections } = settings.limits ?? {};
  const connectionTimeoutMillis = connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const options = {
    ...connectionOptions(settings),
    connectionTimeoutMillis,
    application_name: 'tollgate',
    keepAlive: true,
  };
  const sockets = new Set<Socket>();
  const openSocket = () => {
    const socket = new Socket();
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  };
  const pool = new pg.Pool({
    ...options,
    max: maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    statement_timeout: statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS,
    stream: openSocket,
  });
  // An idle connection that breaks would otherwise end the process; the next query opens another one.
  pool.on('error', () => {});
  // So would one that breaks between two queries of a transaction; the second query reports it.
  pool.on('connect', (client) => client.on('error', () => {}));
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const dropConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    kind: 'postgres',
    kysely,
    pool,
    createClient: () => new pg.Client({ ...options, query_timeout: connectionTimeoutMillis }),
    dropConnections,
    close: async () => {
      // A server that has gone in silence never says farewell.
      const impatience = setTimeout(dropConnections, CLOSE_TIMEOUT_MS);
      await kysely.destroy();
      if (!pool.ended) await pool.end();
      clearTimeout(impatience);
    },
  };
}

function connectionOptions(settings: PostgresSettings): pg.PoolConfig {
  if ('connectionString' in settings) return { connectionString: settings.connectionString };
  const { host, port, user, password, database, ssl } = settings;
  return {
    host,
    port,
    user,
    database,
    ...(password !== undefined && { password }),
    ssl: ssl === false ? false : { rejectUnauthorized: ssl === 'verify' },
  };
}

/** Host, port and name of a database as one text without credentials, to tell whose data something is. */
export function databaseIdentity(settings: DatabaseSettings): string {
  if (settings.kind === 'embedded') return settings.dataDir;
  if ('host' in settings) return `${settings.host}:${settings.port}/${settings.database}`;
  const { host = 'localhost', port, database } = new pg.Client(settings.connectionString);
  return `${host}:${port}/${database ?? ''}`;
}
