/** `healthchecks` of an upstream: when its targets are probed and what counts against them (contract/proxy.md section 8.3). */
import type { FieldDefinition, RecordField } from '../../sdk/schema/fields.ts';

const CHECK_TYPE = {
  type: 'string',
  one_of: ['tcp', 'http', 'https', 'grpc', 'grpcs'],
  default: 'http',
} as const satisfies FieldDefinition;

const SECONDS = { type: 'number', between: [0, 65535] } as const satisfies FieldDefinition;
const INTERVAL = { ...SECONDS, default: 0 } as const satisfies FieldDefinition;
/** How often something has to happen before it counts; 0 is never. */
const LIMIT = { type: 'integer', between: [0, 255], default: 0 } as const satisfies FieldDefinition;

const statuses = (...defaults: readonly number[]) =>
  ({
    type: 'array',
    elements: { type: 'integer', between: [100, 999] },
    default: defaults,
  }) as const satisfies FieldDefinition;

const record = (fields: RecordField['fields']): RecordField => ({ type: 'record', required: true, fields });

const ACTIVE = record({
  type: CHECK_TYPE,
  timeout: { ...SECONDS, default: 1 },
  concurrency: { type: 'integer', between: [1, 2147483648], default: 10 },
  http_path: { type: 'string', starts_with: '/', format: 'path', default: '/' },
  https_sni: { type: 'string', format: 'sni' },
  https_verify_certificate: { type: 'boolean', required: true, default: true },
  headers: {
    type: 'map',
    keys: { type: 'string', format: 'header_name' },
    values: { type: 'array', elements: { type: 'string' } },
  },
  healthy: record({ interval: INTERVAL, http_statuses: statuses(200, 302), successes: LIMIT }),
  unhealthy: record({
    interval: INTERVAL,
    http_statuses: statuses(429, 404, 500, 501, 502, 503, 504, 505),
    tcp_failures: LIMIT,
    timeouts: LIMIT,
    http_failures: LIMIT,
  }),
});

const PASSIVE = record({
  type: CHECK_TYPE,
  healthy: record({
    http_statuses: statuses(
      ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226],
      ...[300, 301, 302, 303, 304, 305, 306, 307, 308],
    ),
    successes: LIMIT,
  }),
  unhealthy: record({
    http_statuses: statuses(429, 500, 503),
    tcp_failures: LIMIT,
    timeouts: LIMIT,
    http_failures: LIMIT,
  }),
});

export const HEALTHCHECKS = record({
  threshold: { type: 'number', between: [0, 100], default: 0 },
  active: ACTIVE,
  passive: PASSIVE,
});
