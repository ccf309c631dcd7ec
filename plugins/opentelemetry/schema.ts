/** Configuration of opentelemetry: contract/plugins.md section 4, and section 19 for the queue. */
import { s } from '@tollgate/sdk';
import { EXTRACT_FORMATS, FORMATS } from './propagation/formats.ts';

const endpoint = s.url({ referenceable: true });

const queue = s.record(
  {
    max_batch_size: s.integer({ default: 200, between: [1, 1_000_000] }),
    max_coalescing_delay: s.number({ default: 1, between: [0, 3600] }),
    max_entries: s.integer({ default: 10_000, between: [1, 1_000_000] }),
    max_bytes: s.integer(),
    max_retry_time: s.number({ default: 60 }),
    initial_retry_delay: s.number({ default: 0.01, between: [0.001, 1_000_000] }),
    max_retry_delay: s.number({ default: 60, between: [0.001, 1_000_000] }),
    concurrency_limit: s.integer({ default: 1, one_of: [-1, 1] }),
  },
  { required: true },
);

const propagation = s.record(
  {
    extract: s.array(s.enum(EXTRACT_FORMATS)),
    clear: s.array(s.headerName()),
    inject: s.array(s.enum([...FORMATS, 'preserve'])),
    default_format: s.enum(FORMATS, { required: true, default: 'w3c' }),
  },
  { required: true },
);

export const schema = s.config(
  {
    traces_endpoint: endpoint,
    logs_endpoint: endpoint,
    headers: s.map(s.headerName(), s.string({ referenceable: true })),
    resource_attributes: s.map(s.string({ required: true }), s.string({ required: true })),
    queue,
    connect_timeout: s.timeoutMs({ default: 1000 }),
    send_timeout: s.timeoutMs({ default: 5000 }),
    read_timeout: s.timeoutMs({ default: 5000 }),
    http_response_header_for_traceid: s.headerName(),
    header_type: s.enum(
      ['preserve', 'ignore', 'b3', 'b3-single', 'w3c', 'jaeger', 'ot', 'aws', 'gcp', 'datadog'],
      {
        default: 'preserve',
        deprecation: {
          message: 'opentelemetry: config.header_type is deprecated, please use config.propagation instead',
          removal_in_version: '4.0',
        },
      },
    ),
    sampling_rate: s.number({ between: [0, 1] }),
    propagation,
  },
  {
    checks: [s.atLeastOneOf('traces_endpoint', 'logs_endpoint')],
    shorthands: {
      endpoint: s.deprecated(endpoint, ['traces_endpoint'], {
        message: 'opentelemetry: config.endpoint is deprecated, please use config.traces_endpoint instead',
        removal_in_version: '4.0',
      }),
      batch_span_count: s.deprecated(queue.fields.max_batch_size, ['queue', 'max_batch_size'], {
        message:
          'opentelemetry: config.batch_span_count is deprecated, please use config.queue.max_batch_size instead',
        removal_in_version: '4.0',
      }),
      batch_flush_delay: s.deprecated(s.integer(), ['queue', 'max_coalescing_delay'], {
        message:
          'opentelemetry: config.batch_flush_delay is deprecated, please use config.queue.max_coalescing_delay instead',
        removal_in_version: '4.0',
      }),
    },
  },
);
