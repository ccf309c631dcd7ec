/** Configuration of opentelemetry: contract/plugins.md section 4, and section 19 for the queue. */
import { s } from '@tollgate/sdk';
import { EXTRACT_FORMATS, FORMATS } from './propagation/formats.ts';

const endpoint = s.url({
  referenceable: true,
  description:
    '`http://collector:4318/v1/traces` (or `/v1/logs`) for protobuf over HTTP, `grpc://collector:4317` for gRPC; `https` and `grpcs` for TLS.',
});

const queue = s.record(
  {
    max_batch_size: s.integer({
      default: 200,
      between: [1, 1_000_000],
      description: 'How many spans or lines go out together.',
    }),
    max_coalescing_delay: s.number({
      default: 1,
      between: [0, 3600],
      description: 'Seconds they wait for company.',
    }),
    max_entries: s.integer({
      default: 10_000,
      between: [1, 1_000_000],
      description:
        'Spans, and lines, a worker holds while the backend is slow or away; further ones are dropped.',
    }),
    max_bytes: s.integer({ description: 'Accepted; without effect.' }),
    max_retry_time: s.number({ default: 60, description: 'Seconds for which a batch is tried again.' }),
    initial_retry_delay: s.number({
      default: 0.01,
      between: [0.001, 1_000_000],
      description: 'Seconds before the first repetition; doubles each time.',
    }),
    max_retry_delay: s.number({
      default: 60,
      between: [0.001, 1_000_000],
      description: 'The longest pause, in seconds.',
    }),
    concurrency_limit: s.integer({ default: 1, one_of: [-1, 1], description: 'Accepted; without effect.' }),
  },
  { required: true },
);

const propagation = s.record(
  {
    extract: s.array(s.enum(EXTRACT_FORMATS), {
      description: 'Formats to look for, in order; the first that is well-formed counts.',
    }),
    clear: s.array(s.headerName(), { description: 'Request headers that do not reach the service.' }),
    inject: s.array(s.enum([...FORMATS, 'preserve']), {
      description: "Formats to write; `preserve` is the caller's own, else the default.",
    }),
    default_format: s.enum(FORMATS, { required: true, default: 'w3c', description: 'See `inject`.' }),
  },
  { required: true },
);

export const schema = s.config(
  {
    traces_endpoint: endpoint,
    logs_endpoint: endpoint,
    headers: s.map(s.headerName(), s.string({ referenceable: true }), {
      description: 'Sent with each export, for example a tenant or a key.',
    }),
    resource_attributes: s.map(s.string({ required: true }), s.string({ required: true }), {
      description:
        'On top of `service.name` (`kong`), `service.version` and `service.instance.id`, which they may replace.',
    }),
    queue,
    connect_timeout: s.timeoutMs({
      default: 1000,
      description: 'The three together, in ms: the longest that one export may take.',
    }),
    send_timeout: s.timeoutMs({ default: 5000, description: 'See `connect_timeout`.' }),
    read_timeout: s.timeoutMs({ default: 5000, description: 'See `connect_timeout`.' }),
    http_response_header_for_traceid: s.headerName({
      description: 'Response header that tells the client its trace id.',
    }),
    header_type: s.enum(
      ['preserve', 'ignore', 'b3', 'b3-single', 'w3c', 'jaeger', 'ot', 'aws', 'gcp', 'datadog'],
      {
        default: 'preserve',
        deprecation: {
          message: 'opentelemetry: config.header_type is deprecated, please use config.propagation instead',
          removal_in_version: '4.0',
        },
        description:
          "What holds while nothing is said under `propagation`. `preserve`: look for all formats, write the caller's own; `ignore`: look for none; a format: look for all, write that one besides.",
      },
    ),
    sampling_rate: s.number({
      between: [0, 1],
      description:
        'Share of traces to export, decided by trace id; `TOLLGATE_TRACING_SAMPLING_RATE` when not given. A caller that says it does not sample is followed in any case.',
    }),
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
