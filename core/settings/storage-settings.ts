/** Where the configuration is kept, and what is counted elsewhere. */
import {
  encryptionKeys,
  oneOfAvailable,
  onOff,
  postgresUrl,
  redisUrl,
  text,
  wholeNumber,
} from './setting-kind.ts';
import { defaulted, optional } from './setting-row.ts';

export const STORAGE_SETTINGS = {
  database: optional({
    group: 'Storage',
    name: 'database',
    kind: oneOfAvailable(['embedded', 'postgres'], { off: '`off` is not available in this version' }),
    absent: '`postgres` when `DATABASE_URL` or `TOLLGATE_PG_HOST` is given, else `embedded`',
    description:
      '`embedded` keeps everything in `data_dir` and suits one node; `postgres` is for production and for several nodes.',
  }),
  dataDir: defaulted({
    group: 'Storage',
    name: 'data_dir',
    kong: false,
    kind: text,
    default: './data',
    description: 'Folder of the embedded database and of what the node keeps between starts.',
  }),
  encryptionKeys: optional({
    group: 'Storage',
    name: 'encryption_key',
    kong: false,
    kind: encryptionKeys,
    isSecret: true,
    absent: 'such fields are stored in the clear, as in Kong',
    description:
      'Encrypts fields marked as `encrypted` in the database, and the whole snapshot on disk. Of several keys the first encrypts and all decrypt: put a new one in front of the old ones, on every node. `openssl rand -base64 32` makes one.',
  }),
  databaseUrl: optional({
    group: 'Storage',
    name: 'database_url',
    variable: 'DATABASE_URL',
    kong: false,
    kind: postgresUrl,
    isSecret: true,
    absent: 'the `pg_…` settings are used',
    description: 'The Postgres database as one URL. It wins over the `pg_…` settings.',
  }),
  redisUrl: optional({
    group: 'Storage',
    name: 'redis_url',
    variable: 'REDIS_URL',
    kong: false,
    kind: redisUrl,
    isSecret: true,
    absent: 'plugins have to name their own',
    description:
      'The Redis of plugins that name none: with it, `policy` `redis` of rate-limiting needs no `redis.host`. The certificate of a `rediss://` server is checked.',
  }),
  pgHost: defaulted({
    group: 'Storage',
    name: 'pg_host',
    kind: text,
    default: '127.0.0.1',
    description: 'Host name or address of the Postgres server.',
  }),
  pgPort: defaulted({
    group: 'Storage',
    name: 'pg_port',
    kind: wholeNumber(1, 65_535),
    default: '5432',
    description: 'Port of the Postgres server.',
  }),
  pgUser: defaulted({
    group: 'Storage',
    name: 'pg_user',
    kind: text,
    default: 'kong',
    description: 'Postgres user.',
  }),
  pgPassword: optional({
    group: 'Storage',
    name: 'pg_password',
    kind: text,
    isSecret: true,
    absent: 'no password',
    description: 'Password of the Postgres user.',
  }),
  pgDatabase: defaulted({
    group: 'Storage',
    name: 'pg_database',
    kind: text,
    default: 'kong',
    description: 'Name of the Postgres database.',
  }),
  pgSsl: defaulted({
    group: 'Storage',
    name: 'pg_ssl',
    kind: onOff,
    default: 'off',
    description: 'Whether the connection to Postgres is encrypted.',
  }),
  pgSslVerify: defaulted({
    group: 'Storage',
    name: 'pg_ssl_verify',
    kind: onOff,
    default: 'off',
    description: 'Whether the certificate of the Postgres server is checked when `pg_ssl` is on.',
  }),
  dbUpdateFrequencySeconds: defaulted({
    group: 'Storage',
    name: 'db_update_frequency',
    kind: wholeNumber(1, 3600),
    default: '5',
    description:
      'Seconds between two looks for changes that other nodes have made. Postgres tells of them at once; this is for when that is lost.',
  }),
  entityCacheRows: defaulted({
    group: 'Storage',
    name: 'entity_cache_rows',
    kong: false,
    kind: wholeNumber(0, 10_000_000),
    default: '50000',
    description:
      'Consumers and credentials, counted together, that the node keeps in memory and on disk to serve without the database. Where there are more, those used last are kept, and others cannot be told from unknown ones while the database is gone.',
  }),
  snapshotDir: optional({
    group: 'Storage',
    name: 'snapshot_dir',
    kong: false,
    kind: text,
    absent: '`data_dir`',
    description:
      'Folder of the file from which a node with Postgres serves when it starts and Postgres is gone. Credentials are in it; only its owner can read it.',
  }),
} as const;
