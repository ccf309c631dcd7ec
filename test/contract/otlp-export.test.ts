/** From an ended request to a real OTLP backend in another process, over HTTP and gRPC, and past one that is down. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../core/telemetry/logger.ts';
import type { TracedRequest } from '../../core/telemetry/tracing/describe-spans.ts';
import { RequestTrace } from '../../core/telemetry/tracing/request-trace.ts';
import { createTracer, type Tracer } from '../../core/telemetry/tracing/tracer.ts';
import { findFreePort } from '../support/free-port.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';

const REQUEST: TracedRequest = {
  requestId: 'f'.repeat(32),
  method: 'GET',
  scheme: 'http',
  host: 'api.example',
  rawPath: '/',
  rawQuery: undefined,
  httpVersion: '1.1',
  localPort: 8000,
  peerAddress: '127.0.0.1',
  clientAddress: '127.0.0.1',
  userAgent: undefined,
  receivedAtMs: Date.parse('2024-05-06T07:08:09.123Z') + 0.25,
  endedAtMs: Date.parse('2024-05-06T07:08:09.200Z'),
  status: 200,
  route: '',
  upstream: { host: 'localhost', port: 1, method: 'GET', status: 200 },
};
const TARGET = {
  headers: {},
  resourceAttributes: {},
  timeoutMs: 2000,
  maxBatchSize: 200,
  maxDelayMs: 20,
  maxQueueSize: 10_000,
  maxRetryMs: 10_000,
  retryDelayMs: 10,
  maxRetryDelayMs: 100,
};

let receiver: OtlpReceiver;
let tracer: Tracer;
let logged: string[];
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  logged = [];
  tracer = createTracer({
    instrumentations: ['all'],
    samplingRate: 1,
    nodeId: 'node-1',
    version: '1.2.3',
    logger: createLogger('notice', 'worker', { write: (line) => logged.push(line) }),
    nowMs: () => REQUEST.endedAtMs,
  });
});
afterEach(async () => {
  await tracer.shutdown(2000);
  await receiver.stop();
});

/** A request with one try and a plugin that threw; resolves to its trace id. */
function trace(endpoint: string, changes: Readonly<Record<string, unknown>> = {}): string {
  const begun = tracer.begin();
  begun.onPhaseStart('access');
  begun.onPhaseReport({
    state: undefined,
    timings: [{ plugin: 'failing', startedAtMs: 0, endedAtMs: 0, error: 'no luck' }],
  });
  begun.onTry('127.0.0.1', 8080);
  begun.onUpstreamEnd();
  tracer.end(begun, REQUEST);
  tracer.export(begun.spanId, JSON.stringify({ traces: { ...TARGET, endpoint, ...changes } }));
  return begun.traceId;
}

describe.each(['http', 'grpc'] as const)('over %s', (protocol) => {
  const endpoint = () => (protocol === 'http' ? receiver.httpEndpoint : receiver.grpcEndpoint);

  it('arrive spans with their times, kinds, parents, events and resource', async () => {
    const headers = { 'X-Tenant': 'one' };
    const resourceAttributes = { 'service.name': 'shop', region: 'eu' };
    const id = trace(endpoint(), { headers, resourceAttributes });
    const spans = await receiver.trace(id, 'kong', 'kong.balancer');
    const [root, plugin, balancer] = spans;
    expect(root).toMatchObject({
      name: 'kong',
      kind: 'server',
      parentSpanId: '',
      startNs: 1714979289123250000n,
      endNs: 1714979289200000000n,
      scope: 'kong-internal 0.1.0',
      resource: {
        'service.name': 'shop',
        'service.version': '1.2.3',
        'service.instance.id': 'node-1',
        region: 'eu',
      },
    });
    expect(plugin).toMatchObject({
      name: 'kong.access.plugin.failing',
      kind: 'internal',
      parentSpanId: root?.spanId,
      statusCode: 2,
      statusMessage: 'no luck',
      events: [{ name: 'exception', attributes: { 'exception.message': 'no luck' } }],
    });
    expect(balancer).toMatchObject({ kind: 'client', parentSpanId: root?.spanId });
    expect(receiver.batches[0]).toMatchObject({ protocol, headers: { 'x-tenant': 'one' } });
  });

  it('is tried again what the backend would not take', async () => {
    receiver.refuse(2);
    const id = trace(endpoint());
    expect(await receiver.trace(id, 'kong')).toHaveLength(3);
    expect(receiver.batches.filter(({ isRefused }) => isRefused).length).toBeGreaterThanOrEqual(1);
    expect(logged).toEqual([]);
  });
});

it('delivers spans of several requests together, in batches no larger than asked for', async () => {
  const changes = { maxBatchSize: 5, maxDelayMs: 200 };
  const ids = Array.from({ length: 4 }, () => trace(receiver.httpEndpoint, changes));
  for (const id of ids) await receiver.trace(id, 'kong', 'kong.access.plugin.failing', 'kong.balancer');
  expect(receiver.batches).toHaveLength(3);
});

it('delivers what is queued on shutdown', async () => {
  const id = trace(receiver.httpEndpoint, { maxDelayMs: 3_600_000 });
  await tracer.prepare();
  await tracer.shutdown(5000);
  expect(await receiver.trace(id, 'kong')).toHaveLength(3);
});

it('gives up on a backend that stays away, and says so once', async () => {
  const endpoint = `http://127.0.0.1:${await findFreePort()}/v1/traces`;
  const changes = { maxRetryMs: 50, timeoutMs: 100 };
  for (let count = 0; count < 3; count++) trace(endpoint, { ...changes, maxDelayMs: count });
  await receiver.until('a line in the log', () => (logged.length > 0 ? true : undefined));
  await tracer.shutdown(5000);
  expect(logged).toHaveLength(1);
  expect(JSON.parse(logged[0] as string)).toMatchObject({
    level: 'warn',
    lost: 3,
    msg: 'spans or log lines could not be exported',
  });
});

it('keeps no trace that is not sampled, nor more of the others than a batch of log records needs', async () => {
  const unsampled = tracer.begin();
  unsampled.isSampled = false;
  tracer.end(unsampled, REQUEST);
  tracer.export(unsampled.spanId, JSON.stringify({ traces: { ...TARGET, endpoint: receiver.httpEndpoint } }));
  const first = tracer.begin();
  tracer.end(first, REQUEST);
  for (let count = 0; count < 2048; count++) tracer.end(tracer.begin(), REQUEST);
  tracer.export(first.spanId, JSON.stringify({ traces: { ...TARGET, endpoint: receiver.httpEndpoint } }));
  const id = trace(receiver.httpEndpoint);
  await receiver.trace(id, 'kong');
  expect(receiver.spans.every(({ traceId }) => traceId === id)).toBe(true);
});

it('logs a malformed target instead of failing', () => {
  trace('nowhere');
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('an endpoint is a URL');
});

describe.each(['http', 'grpc'] as const)('lines a request left in the log, over %s,', (protocol) => {
  const targets = () => {
    const endpoint = protocol === 'http' ? receiver.logsEndpoint : receiver.grpcEndpoint;
    return JSON.stringify({ logs: { ...TARGET, endpoint, resourceAttributes: { region: 'eu' } } });
  };
  const lineOf = (body: string) =>
    receiver.until(body, () => receiver.lines.find((line) => line.body === body));

  it('arrive with their severity, the ids of request and trace, and who said them', async () => {
    const begun = tracer.begin();
    const severities = { notice: 11, warn: 13, err: 17, crit: 19, alert: 21, emerg: 23 } as const;
    for (const severity of Object.keys(severities) as (keyof typeof severities)[]) {
      begun.onLine(severity, 'chatty', `it is ${severity}`, REQUEST.endedAtMs);
    }
    begun.onLine('err', '', 'by the gateway', REQUEST.endedAtMs);
    tracer.end(begun, REQUEST);
    tracer.export(begun.spanId, targets());
    for (const [severity, number] of Object.entries(severities)) {
      expect(await lineOf(`it is ${severity}`)).toEqual({
        timeNs: 1714979289200000000n,
        severityNumber: number,
        severityText: severity,
        body: `it is ${severity}`,
        attributes: { 'request.id': REQUEST.requestId, 'kong.plugin': 'chatty' },
        traceId: begun.traceId,
        spanId: begun.spanId,
        resource: {
          'service.name': 'kong',
          'service.version': '1.2.3',
          'service.instance.id': 'node-1',
          region: 'eu',
        },
      });
    }
    expect((await lineOf('by the gateway')).attributes).toEqual({ 'request.id': REQUEST.requestId });
    expect(receiver.spans).toEqual([]);
  });

  it('arrive without ids of a trace nobody asked for, and only those that the node logs', async () => {
    const begun = RequestTrace.forLines();
    begun.onLine('info', '', 'too quiet', 0);
    begun.onLine('err', '', 'loud', 0);
    tracer.end(begun, REQUEST);
    tracer.export(begun.spanId, targets());
    expect(await lineOf('loud')).toMatchObject({ traceId: '', spanId: '' });
    expect(receiver.lines).toHaveLength(1);
  });
});
