/** Configuration of rate-limiting: contract/plugins.md section 2.1. */
import { s } from '@tollgate/sdk';
import { PERIODS } from './window.ts';

const limit = s.number({
  gt: 0,
  description: 'Requests in one of these; a longer period never has less than a shorter one.',
});

/** Required, so that answers show it whole with its defaults. */
const redis = s.record(
  {
    host: s.host({ description: 'Needed by `policy` `redis`, unless there are several servers below.' }),
    port: s.port({ default: 6379 }),
    timeout: s.timeoutMs({ default: 2000, description: 'For connecting, sending and reading, in ms.' }),
    username: s.string({ referenceable: true }),
    password: s.string({ referenceable: true, encrypted: true, len_min: 0 }),
    database: s.integer({ default: 0, description: 'Number of the database.' }),
    ssl: s.boolean({ required: true, default: false, description: 'Speak TLS.' }),
    ssl_verify: s.boolean({
      required: true,
      default: false,
      description: "Verify the server's certificate.",
    }),
    server_name: s.sni({ description: 'Name to ask for with TLS.' }),
    // Beyond the open-source edition: several servers instead of one.
    cluster_nodes: s.array(
      s.record({ ip: s.host({ required: true, default: '127.0.0.1' }), port: s.port({ default: 6379 }) }),
      { len_min: 1, description: 'Some of the servers of a Redis Cluster.' },
    ),
    cluster_max_redirections: s.integer({
      between: [0, 100],
      description: 'How often a command may be sent elsewhere.',
    }),
    sentinel_nodes: s.array(
      s.record({ host: s.host({ required: true, default: '127.0.0.1' }), port: s.port({ default: 6379 }) }),
      { len_min: 1, description: 'Sentinels to ask for the server.' },
    ),
    sentinel_master: s.string({ description: 'Name of the group they watch.' }),
    sentinel_role: s.enum(['master', 'slave', 'any'], { description: 'Which server of the group to use.' }),
    sentinel_username: s.string({ referenceable: true }),
    sentinel_password: s.string({ referenceable: true, encrypted: true }),
  },
  {
    required: true,
    checks: [
      s.mutuallyRequired('sentinel_master', 'sentinel_role', 'sentinel_nodes'),
      s.mutuallyExclusive('cluster_nodes', 'sentinel_nodes'),
    ],
  },
);

/** What says where Redis is instead of `redis.host`. */
const WITHOUT_HOST = {
  unlessAnyOf: ['redis.cluster_nodes', 'redis.sentinel_nodes'],
  unlessSetting: 'redis_url',
};

/** The spelling of Kong 2: accepted, copied into `redis`, and shown beside it. */
function deprecatedRedisField(member: keyof typeof redis.fields, name: string) {
  return {
    [name]: {
      field: redis.fields[member],
      replaced_with: ['redis', member],
      deprecation: {
        message: `rate-limiting: config.${name} is deprecated, please use config.redis.${member} instead`,
        removal_in_version: '4.0',
      },
    },
  };
}

export const schema = s.config(
  {
    second: limit,
    minute: limit,
    hour: limit,
    day: limit,
    month: limit,
    year: limit,
    limit_by: s.enum(['consumer', 'credential', 'ip', 'service', 'header', 'path'], {
      default: 'consumer',
      description: 'Who shares a count; the address where nobody is known.',
    }),
    header_name: s.headerName({ description: 'Needed by `limit_by` `header`.' }),
    path: s.path({ description: 'Needed by `limit_by` `path`.' }),
    policy: s.enum(['local', 'cluster', 'redis'], {
      default: 'local',
      description:
        "Where requests are counted: in the node, in the gateway's database, or in a Redis of your own; [what each promises](../../docs/rate-limiting.md).",
    }),
    fault_tolerant: s.boolean({
      required: true,
      default: true,
      description:
        'While the counters cannot be reached requests pass, without the headers below; with `false` they get 500.',
    }),
    redis,
    hide_client_headers: s.boolean({
      required: true,
      default: false,
      description: 'Leave out the headers below.',
    }),
    error_code: s.number({ default: 429, gt: 0, description: 'Status of the refusal.' }),
    error_message: s.string({ default: 'API rate limit exceeded', description: 'Text of the refusal.' }),
    sync_rate: s.number({
      required: true,
      default: -1,
      description: 'With `redis`: seconds between exchanges, at least 0.02; -1 asks Redis at each request.',
    }),
  },
  {
    checks: [
      s.atLeastOneOf(...PERIODS),
      s.conditional('policy', { eq: 'redis' }, 'redis.host', { required: true }, WITHOUT_HOST),
      s.conditional('policy', { eq: 'redis' }, 'redis.port', { required: true }, WITHOUT_HOST),
      s.conditional('policy', { eq: 'redis' }, 'redis.timeout', { required: true }),
      s.conditional('limit_by', { eq: 'header' }, 'header_name', { required: true }),
      s.conditional('limit_by', { eq: 'path' }, 'path', { required: true }),
      s.nonDecreasing(PERIODS, 'limit'),
      s.recordRule(
        { field: 'policy', match: { ne: 'redis' } },
        { field: 'sync_rate', match: { eq: -1 } },
        'sync_rate can only be used with the redis policy',
      ),
      s.recordRule(
        { field: 'sync_rate', match: { ne: -1 } },
        { field: 'sync_rate', match: { between: [0.02, Number.MAX_VALUE] } },
        'sync_rate must be greater than 0.02, or -1 to disable',
      ),
    ],
    shorthands: {
      ...deprecatedRedisField('host', 'redis_host'),
      ...deprecatedRedisField('port', 'redis_port'),
      ...deprecatedRedisField('password', 'redis_password'),
      ...deprecatedRedisField('username', 'redis_username'),
      ...deprecatedRedisField('ssl', 'redis_ssl'),
      ...deprecatedRedisField('ssl_verify', 'redis_ssl_verify'),
      ...deprecatedRedisField('server_name', 'redis_server_name'),
      ...deprecatedRedisField('timeout', 'redis_timeout'),
      ...deprecatedRedisField('database', 'redis_database'),
    },
  },
);
