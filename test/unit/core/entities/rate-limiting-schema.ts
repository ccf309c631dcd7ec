/** A configuration as rich as rate-limiting's, written in the schema language (contract/plugins.md section 2.1). */
import { s } from '../../../../sdk/schema/index.ts';

const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const;
const limit = () => s.number({ gt: 0 });
const moved = (name: string) => ({ message: `use config.redis.${name} instead`, removal_in_version: '4.0' });

export const rateLimiting = s.config(
  {
    second: limit(),
    minute: limit(),
    hour: limit(),
    day: limit(),
    month: limit(),
    year: limit(),
    limit_by: s.enum(['consumer', 'credential', 'ip', 'service', 'header', 'path'], { default: 'consumer' }),
    header_name: s.headerName(),
    path: s.path(),
    policy: s.enum(['local', 'cluster', 'redis'], { default: 'local' }),
    fault_tolerant: s.boolean({ required: true, default: true }),
    hide_client_headers: s.boolean({ required: true, default: false }),
    error_code: s.number({ gt: 0, default: 429 }),
    error_message: s.string({ default: 'API rate limit exceeded' }),
    sync_rate: s.number({ required: true, default: -1 }),
    redis: s.record(
      {
        host: s.host(),
        port: s.port({ default: 6379 }),
        timeout: s.timeoutMs({ default: 2000 }),
        username: s.string({ referenceable: true }),
        password: s.string({ referenceable: true, encrypted: true, len_min: 0 }),
        database: s.integer({ default: 0 }),
        ssl: s.boolean({ default: false }),
        ssl_verify: s.boolean({ default: false }),
        server_name: s.sni(),
      },
      { required: true },
    ),
  },
  {
    checks: [
      s.atLeastOneOf(...PERIODS),
      s.conditional('policy', { eq: 'redis' }, 'redis.host', { required: true }),
      s.conditional('policy', { eq: 'redis' }, 'redis.port', { required: true }),
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
      redis_host: s.deprecated(s.host(), ['redis', 'host'], moved('host')),
      redis_port: s.deprecated(s.port(), ['redis', 'port'], moved('port')),
      redis_timeout: s.deprecated(s.timeoutMs(), ['redis', 'timeout'], moved('timeout')),
    },
  },
);
