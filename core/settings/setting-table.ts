/**
 * Every setting of the gateway, once. Parsing, `tollgate --help`, the settings page and the configuration shown
 * by `GET /` are made from this table; to add a setting, add a row.
 *
 * Names are those of Kong's properties where Kong has the property. A row's key is the name of the value in
 * `Settings` and carries the unit.
 */
import { availableParallelism } from 'node:os';
import { listenersWith } from './listener-kind.ts';
import { certificateFile, keyFile } from './pem-file.ts';
import {
  addressBlocks,
  byteSize,
  dnsServers,
  encryptionKeys,
  fraction,
  listOf,
  oneOf,
  oneOfAvailable,
  onOff,
  pluginList,
  postgresUrl,
  redisUrl,
  type SettingKind,
  text,
  uuid,
  webUrls,
  wholeNumber,
  workerCount,
} from './setting-kind.ts';
import { templateFile } from './template-file.ts';

export type SettingGroup = 'Listeners' | 'Storage' | 'Proxying' | 'Plugins' | 'Node';

interface SettingRow {
  readonly group: SettingGroup;
  /** Snake case. The environment variable is `TOLLGATE_` and the name in upper case. */
  readonly name: string;
  /** Kong's name where it differs; false when Kong has no such setting, so that there is no `KONG_` alias. */
  readonly kong?: string | false;
  /** The whole variable name, for the few that carry no prefix. */
  readonly variable?: string;
  /** Values are shown as `******`. */
  readonly isSecret?: boolean;
  /** One or more sentences in Markdown, units included. */
  readonly description: string;
}

/** A row whose setting always has a value: `default` is a text as an operator would give it. */
export interface DefaultedSetting<Value> extends SettingRow {
  readonly kind: SettingKind<Value>;
  readonly default: string;
}

/** A row whose setting may stay undefined; `absent` says in words what happens then. */
export interface OptionalSetting<Value> extends SettingRow {
  readonly kind: SettingKind<Value>;
  readonly absent: string;
}

const defaulted = <Value>(row: DefaultedSetting<Value>): DefaultedSetting<Value> => row;
const optional = <Value>(row: OptionalSetting<Value>): OptionalSetting<Value> => row;

const errorTemplate = (format: 'html' | 'json' | 'plain' | 'xml') =>
  optional({
    group: 'Proxying',
    name: `error_template_${format}`,
    kind: templateFile,
    absent: 'the gateway’s own',
    description: `A file with the body of ${format === 'plain' ? 'plain text' : format.toUpperCase()} errors: the first \`%s\` in it becomes the message, the second the id of the request.`,
  });

export const SETTING_TABLE = {
  proxyListen: defaulted({
    group: 'Listeners',
    name: 'proxy_listen',
    kind: listenersWith('ssl', 'http2', 'strict'),
    default: '0.0.0.0:8000, 0.0.0.0:8443 http2 ssl',
    description:
      'Where clients reach the proxy. `ssl` is TLS and `http2` adds HTTP/2; these and `strict` are served by the stricter of two HTTP servers: see [listeners](listeners.md).',
  }),
  sslCert: optional({
    group: 'Listeners',
    name: 'ssl_cert',
    kind: certificateFile,
    absent: 'one the node makes for itself and keeps in `data_dir`',
    description:
      'A PEM file with the certificate, and its chain, of clients that name no server or an unknown one: see [TLS](tls.md).',
  }),
  sslCertKey: optional({
    group: 'Listeners',
    name: 'ssl_cert_key',
    kind: keyFile,
    absent: 'that of the node’s own certificate',
    description: 'A PEM file with the key of `ssl_cert`.',
  }),
  sslProtocols: defaulted({
    group: 'Listeners',
    name: 'ssl_protocols',
    kind: oneOf('TLSv1.2 TLSv1.3', 'TLSv1.3'),
    default: 'TLSv1.2 TLSv1.3',
    description: 'Versions of TLS that clients may speak.',
  }),
  sslCiphers: optional({
    group: 'Listeners',
    name: 'ssl_ciphers',
    kind: text,
    absent: 'the runtime’s list',
    description: 'Cipher suites that clients may use, in OpenSSL’s notation.',
  }),
  adminListen: defaulted({
    group: 'Listeners',
    name: 'admin_listen',
    kind: listenersWith(),
    default: '127.0.0.1:8001',
    description:
      'Where the Admin API listens. It has no access control of its own: keep it on loopback or a private network.',
  }),
  statusListen: defaulted({
    group: 'Listeners',
    name: 'status_listen',
    kind: listenersWith(),
    default: '127.0.0.1:8100',
    description: 'Where `/status`, `/status/ready` and `/metrics` are served, read-only.',
  }),
  adminGuiUrls: optional({
    group: 'Listeners',
    name: 'admin_gui_url',
    kind: webUrls,
    absent: 'any origin',
    description: 'Origins from which a browser may use the Admin API.',
  }),

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

  trustedIps: defaulted({
    group: 'Proxying',
    name: 'trusted_ips',
    kind: addressBlocks,
    default: '',
    description: 'Peers whose `X-Forwarded-*` headers and client address are believed; empty for nobody.',
  }),
  realIpHeader: defaulted({
    group: 'Proxying',
    name: 'real_ip_header',
    kind: oneOf('X-Real-IP', 'X-Forwarded-For'),
    default: 'X-Real-IP',
    description: 'Header from which a trusted peer’s client address is taken.',
  }),
  isRealIpRecursive: defaulted({
    group: 'Proxying',
    name: 'real_ip_recursive',
    kind: onOff,
    default: 'off',
    description:
      'With `on` the client is the last address in `real_ip_header` that is not trusted, with `off` the last one.',
  }),
  headers: defaulted({
    group: 'Proxying',
    name: 'headers',
    kind: listOf(
      'server_tokens',
      'latency_tokens',
      'Server',
      'Via',
      'X-Kong-Proxy-Latency',
      'X-Kong-Response-Latency',
      'X-Kong-Upstream-Latency',
      'X-Kong-Admin-Latency',
      'X-Kong-Upstream-Status',
      'X-Kong-Request-Id',
    ),
    default: 'server_tokens, latency_tokens, X-Kong-Request-Id',
    description:
      'Headers the gateway adds to answers. `server_tokens` is `Server` and `Via`; `latency_tokens` is the four latencies.',
  }),
  headersUpstream: defaulted({
    group: 'Proxying',
    name: 'headers_upstream',
    kind: listOf('X-Kong-Request-Id'),
    default: 'X-Kong-Request-Id',
    description: 'Headers the gateway adds to requests to upstreams, besides those of forwarding.',
  }),
  isDebugHeaderAllowed: defaulted({
    group: 'Proxying',
    name: 'allow_debug_header',
    kind: onOff,
    default: 'off',
    description: 'Whether a request with `Kong-Debug: 1` is answered with the route and service it matched.',
  }),
  errorDefaultType: defaulted({
    group: 'Proxying',
    name: 'error_default_type',
    kind: oneOf('text/plain', 'text/html', 'application/json', 'application/xml'),
    default: 'text/plain',
    description: 'Media type of an error when the request says nothing about what it accepts.',
  }),
  errorTemplateHtml: errorTemplate('html'),
  errorTemplateJson: errorTemplate('json'),
  errorTemplatePlain: errorTemplate('plain'),
  errorTemplateXml: errorTemplate('xml'),
  routerFlavor: defaulted({
    group: 'Proxying',
    name: 'router_flavor',
    kind: oneOfAvailable(['traditional'], {
      traditional_compatible: '`traditional_compatible` is not available in this version',
      expressions: '`expressions` is not available in this version',
    }),
    default: 'traditional',
    description: 'How routes are matched and ranked.',
  }),
  upstreamKeepalivePoolSize: defaulted({
    group: 'Proxying',
    name: 'upstream_keepalive_pool_size',
    kind: wholeNumber(0, 65_535),
    default: '512',
    description: 'Idle connections kept for each upstream address, in each worker. 0 keeps none.',
  }),
  upstreamKeepaliveMaxRequests: defaulted({
    group: 'Proxying',
    name: 'upstream_keepalive_max_requests',
    kind: wholeNumber(0),
    default: '10000',
    description: 'Requests sent over one upstream connection before it is closed. 0 is no limit.',
  }),
  upstreamKeepaliveIdleTimeoutSeconds: defaulted({
    group: 'Proxying',
    name: 'upstream_keepalive_idle_timeout',
    kind: wholeNumber(0, 86_400),
    default: '60',
    description: 'Seconds an idle upstream connection is kept. 0 is no limit.',
  }),
  dnsServers: optional({
    group: 'Proxying',
    name: 'dns_resolver',
    kind: dnsServers,
    absent: 'Those of `/etc/resolv.conf`.',
    description:
      'Servers that are asked for names of services and targets, `address` or `address:port` each.',
  }),
  dnsHostsFile: defaulted({
    group: 'Proxying',
    name: 'dns_hostsfile',
    kind: text,
    default: '/etc/hosts',
    description:
      'Names with their addresses, looked at before any server is asked; read again when it changes.',
  }),
  dnsOrder: defaulted({
    group: 'Proxying',
    name: 'dns_order',
    kind: listOf('LAST', 'SRV', 'A', 'AAAA', 'CNAME'),
    default: 'LAST,SRV,A,AAAA',
    description:
      'Types of records in the order they are asked for. `LAST` is the type that had the answer before; `CNAME` says nothing, since aliases are always followed.',
  }),
  dnsValidTtlSeconds: optional({
    group: 'Proxying',
    name: 'dns_valid_ttl',
    kind: wholeNumber(0, 86_400),
    absent: 'What each answer says.',
    description: 'Seconds an answer of a server is used.',
  }),
  dnsStaleTtlSeconds: defaulted({
    group: 'Proxying',
    name: 'dns_stale_ttl',
    kind: wholeNumber(0, 86_400),
    default: '3600',
    description: 'Seconds an answer serves beyond its time while a new one is fetched or cannot be had.',
  }),
  dnsNotFoundTtlSeconds: defaulted({
    group: 'Proxying',
    name: 'dns_not_found_ttl',
    kind: wholeNumber(0, 86_400),
    default: '30',
    description: 'Seconds a name that does not exist is not asked for again.',
  }),
  dnsErrorTtlSeconds: defaulted({
    group: 'Proxying',
    name: 'dns_error_ttl',
    kind: wholeNumber(0, 86_400),
    default: '1',
    description: 'Seconds a name is not asked for again after a failure of the servers.',
  }),
  dnsCacheSize: defaulted({
    group: 'Proxying',
    name: 'dns_cache_size',
    kind: wholeNumber(1, 1_000_000),
    default: '10000',
    description: 'Names each worker remembers.',
  }),
  clientMaxBodyBytes: defaulted({
    group: 'Proxying',
    name: 'client_max_body_size',
    kong: 'nginx_http_client_max_body_size',
    kind: byteSize,
    default: '0',
    description: 'Largest request body, in bytes; a larger one is answered with 413. 0 is no limit.',
  }),
  clientTimeoutSeconds: defaulted({
    group: 'Proxying',
    name: 'client_timeout',
    kong: false,
    kind: wholeNumber(1, 86_400),
    default: '60',
    description:
      'Seconds a client may take for the head of a request, and may stay silent in the middle of a body: then it gets 408. The fast server gives heads `client_keepalive_timeout` instead.',
  }),
  clientKeepaliveSeconds: defaulted({
    group: 'Proxying',
    name: 'client_keepalive_timeout',
    kong: false,
    kind: wholeNumber(4, 900),
    default: '75',
    description: 'Seconds a connection of a client may lie idle between two requests.',
  }),
  clientBodyBufferBytes: defaulted({
    group: 'Proxying',
    name: 'client_body_buffer_size',
    kong: 'nginx_http_client_body_buffer_size',
    kind: byteSize,
    default: '1m',
    description: 'Bytes of memory a request body may take where it has to be held as a whole.',
  }),

  plugins: defaulted({
    group: 'Plugins',
    name: 'plugins',
    kind: pluginList,
    default: 'bundled',
    description: 'Plugins that can be configured. `bundled` is all that come with the gateway.',
  }),
  pluginTimeoutMs: defaulted({
    group: 'Plugins',
    name: 'plugin_timeout_ms',
    kong: false,
    kind: wholeNumber(1, 60_000),
    default: '50',
    description: 'Milliseconds of wall time one call into a plugin isolate may run before it is stopped.',
  }),
  pluginDeadlineMs: defaulted({
    group: 'Plugins',
    name: 'plugin_deadline_ms',
    kong: false,
    kind: wholeNumber(1, 3_600_000),
    default: '10000',
    description:
      'Milliseconds of wall time a request may wait for a plugin’s own lookups and calls before it fails.',
  }),
  pluginCpuMs: defaulted({
    group: 'Plugins',
    name: 'plugin_cpu_ms',
    kind: wholeNumber(0, 1000),
    default: '500',
    description:
      'Milliseconds of CPU time a published package may use each second, in each worker. More is a strike, and three strikes within ten seconds are a quarantine. 0 is no limit.',
  }),
  pluginMemoryMb: defaulted({
    group: 'Plugins',
    name: 'plugin_memory_mb',
    kong: false,
    kind: wholeNumber(8, 4096),
    default: '64',
    description: 'Mebibytes of heap a plugin isolate may use, in each worker.',
  }),
  credentialCacheEntries: defaulted({
    group: 'Plugins',
    name: 'credential_cache_entries',
    kong: false,
    kind: wholeNumber(0, 10_000_000),
    default: '10000',
    description: 'Credentials each worker remembers for each plugin isolate, unknown ones included.',
  }),

  workers: defaulted({
    group: 'Node',
    name: 'workers',
    kong: 'nginx_worker_processes',
    kind: workerCount(availableParallelism),
    default: 'auto',
    description: 'Worker threads that serve the proxy. `auto` is one for each core.',
  }),
  logLevel: defaulted({
    group: 'Node',
    name: 'log_level',
    kind: oneOf('debug', 'info', 'notice', 'warn', 'error', 'crit'),
    default: 'notice',
    description: 'The least important lines that are logged.',
  }),
  tracingInstrumentations: defaulted({
    group: 'Node',
    name: 'tracing_instrumentations',
    kind: listOf(
      'all',
      'request',
      'db_query',
      'dns_query',
      'router',
      'http_client',
      'balancer',
      'plugin_rewrite',
      'plugin_access',
      'plugin_header_filter',
    ),
    default: 'off',
    description:
      'Spans that are recorded for the plugin `opentelemetry`; `request` is part of each choice. With `off` nothing is recorded or exported, and trace headers are passed on as not sampled. There is nothing to record yet for `db_query`, `http_client` and `plugin_rewrite`.',
  }),
  tracingSamplingRate: defaulted({
    group: 'Node',
    name: 'tracing_sampling_rate',
    kind: fraction,
    default: '0.01',
    description:
      'Share of traces that are exported, where neither the caller nor the `sampling_rate` of the plugin decides.',
  }),
  nodeId: optional({
    group: 'Node',
    name: 'node_id',
    kind: uuid,
    absent: 'made once and kept in `data_dir`',
    description: 'Identity of this node in the Admin API and in metrics.',
  }),
  shutdownTimeoutSeconds: defaulted({
    group: 'Node',
    name: 'shutdown_timeout',
    kong: false,
    kind: wholeNumber(0, 86_400),
    default: '30',
    description: 'Seconds that requests in flight are given to end when the node stops.',
  }),
} as const;

type Table = typeof SETTING_TABLE;
export type SettingKey = keyof Table;

type ValueOf<Row> =
  Row extends DefaultedSetting<infer Value>
    ? Value
    : Row extends OptionalSetting<infer Value>
      ? Value | undefined
      : never;

/** All settings of a node: frozen, and complete but for what may be absent. */
export type Settings = {
  readonly [Key in Exclude<SettingKey, 'database'>]: ValueOf<Table[Key]>;
} & { readonly database: 'embedded' | 'postgres' };

/** A row without its value's type, for code that walks the table. */
export type AnySetting = SettingRow & {
  readonly kind: SettingKind<unknown>;
  readonly default?: string;
  readonly absent?: string;
};

/** The table as a list, in the order it is written. */
export function listSettings(): readonly { readonly key: SettingKey; readonly row: AnySetting }[] {
  return Object.entries(SETTING_TABLE).map(([key, row]) => ({
    key: key as SettingKey,
    row: row as AnySetting,
  }));
}

/** Environment variables that give this setting; the first one that is set wins. */
export function variablesOf(row: AnySetting): readonly [string, ...string[]] {
  if (row.variable !== undefined) return [row.variable];
  const own = `TOLLGATE_${row.name.toUpperCase()}`;
  if (row.kong === false) return [own];
  return [own, `KONG_${(row.kong ?? row.name).toUpperCase()}`];
}
