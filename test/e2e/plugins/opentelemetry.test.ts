/**
 * opentelemetry, from a client's request to what an OTLP backend in another process receives: contract/plugins.md
 * section 4.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRawUpstream } from '../../contract/upstream/raw-upstream.ts';
import { findFreePort } from '../../support/free-port.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import type { EchoedRequest } from '../../support/start-upstream.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

const CALLER = '00f067aa0ba902b7';
/** Soon, but together: what one request leaves behind arrives in one export. */
const SOON = { max_coalescing_delay: 0.1 };

let receiver: OtlpReceiver;
let proxy: ProxyUnderTest;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  proxy = await startProxy({
    TOLLGATE_TRACING_INSTRUMENTATIONS: 'all',
    TOLLGATE_TRACING_SAMPLING_RATE: '1',
    TOLLGATE_WORKERS: '1',
  });
});
afterAll(async () => {
  await proxy?.stop();
  await receiver?.stop();
});

const newTraceId = () => randomBytes(16).toString('hex');
const spanOf = (spans: readonly ReceivedSpan[], name: string) => {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span ${name} among ${spans.map((span) => span.name)}`);
  return found;
};
const sentHeader = (echo: EchoedRequest, name: string) =>
  echo.headers.find(([known]) => known.toLowerCase() === name)?.[1];

type Config = Readonly<Record<string, unknown>>;

/** A route of its own with the plugin on it. */
async function exposeTraced(config: Config = {}, service: Config = {}, through = proxy) {
  const exposed = await through.expose(service, { paths: ['/api'], strip_path: false });
  const plugin = await through.write('POST', `/routes/${exposed.routeId}/plugins`, {
    name: 'opentelemetry',
    config: { traces_endpoint: receiver.httpEndpoint, queue: SOON, ...config },
  });
  return { ...exposed, pluginId: plugin.id as string };
}

describe('a traced request', () => {
  it('continues the caller’s trace, and the upstream continues that of the last try', async () => {
    const { host } = await exposeTraced({ resource_attributes: { 'deployment.environment': 'test' } });
    const traceId = newTraceId();
    const echo = await proxy.echo(host, '/api/x?a=1&apikey=k', {
      headers: { traceparent: `00-${traceId}-${CALLER}-01`, tracestate: 'a=b', 'user-agent': 'test/1' },
    });
    const spans = await receiver.trace(traceId, 'kong', 'kong.balancer');
    const root = spanOf(spans, 'kong');
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      'kong',
      'kong.access.plugin.opentelemetry',
      'kong.balancer',
      'kong.router',
    ]);
    expect(root).toMatchObject({
      kind: 'server',
      parentSpanId: CALLER,
      scope: 'kong-internal 0.1.0',
      statusCode: 0,
    });
    expect(root.attributes).toMatchObject({
      'http.method': 'GET',
      'http.url': `http://${host}/api/x?a=1&apikey=REDACTED`,
      'http.host': host,
      'http.scheme': 'http',
      'http.flavor': 1.1,
      'http.client_ip': '127.0.0.1',
      'net.peer.ip': '127.0.0.1',
      'http.status_code': 200,
      'http.route': '/api',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.path': '/api/x',
      'url.scheme': 'http',
      'server.address': host,
      'server.port': proxy.port,
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
    });
    expect(root.attributes['kong.request.id']).toBe(sentHeader(echo, 'x-kong-request-id'));
    expect(root.resource).toMatchObject({ 'service.name': 'kong', 'deployment.environment': 'test' });
    expect(root.resource['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
    const balancer = spanOf(spans, 'kong.balancer');
    expect(balancer).toMatchObject({
      kind: 'client',
      attributes: {
        try_count: 1,
        'net.peer.ip': '127.0.0.1',
        'net.peer.port': proxy.upstream.port,
        'net.peer.name': '127.0.0.1',
        'http.status_code': 200,
        'http.response.status_code': 200,
        'http.request.method': 'GET',
        'server.address': '127.0.0.1',
        'server.port': proxy.upstream.port,
      },
    });
    for (const span of spans) {
      if (span !== root) expect(span, span.name).toMatchObject({ parentSpanId: root.spanId });
      expect(span.startNs >= root.startNs && span.endNs >= span.startNs && span.endNs <= root.endNs).toBe(
        true,
      );
    }
    expect(sentHeader(echo, 'traceparent')).toBe(`00-${traceId}-${balancer.spanId}-01`);
    expect(sentHeader(echo, 'tracestate')).toBe('a=b');
    expect(receiver.batches[0]?.headers['content-type']).toBe('application/x-protobuf');
  });

  it('continues B3 and Jaeger in their own words', async () => {
    const { host } = await exposeTraced();
    const [b3, single, jaeger] = [newTraceId(), newTraceId(), newTraceId()];
    const multi = await proxy.echo(host, '/api', {
      headers: { 'x-b3-traceid': b3, 'x-b3-spanid': CALLER, 'x-b3-sampled': '1' },
    });
    const one = await proxy.echo(host, '/api', { headers: { b3: `${single}-${CALLER}-1` } });
    const uber = await proxy.echo(host, '/api', { headers: { 'uber-trace-id': `${jaeger}:${CALLER}:0:1` } });
    for (const [traceId, echo, header, written] of [
      [b3, multi, 'x-b3-spanid', (span: string) => span],
      [single, one, 'b3', (span: string, root: string) => `${single}-${span}-1-${root}`],
      [jaeger, uber, 'uber-trace-id', (span: string, root: string) => `${jaeger}:${span}:${root}:01`],
    ] as const) {
      const spans = await receiver.trace(traceId, 'kong', 'kong.balancer');
      const root = spanOf(spans, 'kong');
      expect(root.parentSpanId).toBe(CALLER);
      expect(sentHeader(echo, header)).toBe(written(spanOf(spans, 'kong.balancer').spanId, root.spanId));
      expect(sentHeader(echo, 'traceparent')).toBeUndefined();
    }
  });

  it('begins a trace of its own, which the client can be told of', async () => {
    const { host } = await exposeTraced({ http_response_header_for_traceid: 'X-Trace-Id' });
    const answer = await proxy.send(host, '/api', { headers: { traceparent: 'malformed' } });
    const traceId = answer.header('x-trace-id') ?? '';
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    const spans = await receiver.trace(traceId, 'kong', 'kong.header_filter.plugin.opentelemetry');
    expect(spanOf(spans, 'kong').parentSpanId).toBe('');
    expect(sentHeader(answer.json<EchoedRequest>(), 'traceparent')).toMatch(
      new RegExp(`^00-${traceId}-\\w{16}-01$`),
    );
  });

  it('goes where the configuration of propagation says', async () => {
    const propagation = { extract: ['w3c'], clear: ['x-b3-traceid'], inject: ['preserve', 'datadog', 'aws'] };
    const { host } = await exposeTraced({ propagation });
    const traceId = newTraceId();
    const echo = await proxy.echo(host, '/api', {
      headers: { traceparent: `00-${traceId}-${CALLER}-01`, 'x-b3-traceid': newTraceId() },
    });
    const { spanId } = spanOf(await receiver.trace(traceId, 'kong.balancer'), 'kong.balancer');
    expect(sentHeader(echo, 'x-b3-traceid')).toBeUndefined();
    expect(sentHeader(echo, 'traceparent')).toBe(`00-${traceId}-${spanId}-01`);
    expect(sentHeader(echo, 'x-datadog-parent-id')).toBe(BigInt(`0x${spanId}`).toString());
    expect(sentHeader(echo, 'x-amzn-trace-id')).toContain(`Parent=${spanId};Sampled=1`);
  });

  it('arrives over gRPC as well', async () => {
    const { host } = await exposeTraced({
      traces_endpoint: receiver.grpcEndpoint,
      headers: { 'X-Tenant': 't' },
    });
    const traceId = newTraceId();
    await proxy.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01` } });
    expect(await receiver.trace(traceId, 'kong', 'kong.balancer')).toHaveLength(4);
    expect(receiver.batches.find(({ protocol }) => protocol === 'grpc')?.headers).toMatchObject({
      'x-tenant': 't',
    });
  });

  it('has a span for each plugin that ran, in each phase', async () => {
    const { host, routeId } = await exposeTraced();
    await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'rate-limiting',
      config: { minute: 100 },
    });
    const traceId = newTraceId();
    await proxy.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01` } });
    const spans = await receiver.trace(
      traceId,
      'kong.access.plugin.rate-limiting',
      'kong.access.plugin.opentelemetry',
    );
    expect(spanOf(spans, 'kong.access.plugin.rate-limiting')).toMatchObject({
      kind: 'internal',
      statusCode: 0,
    });
  });
});

describe('what does not go well', () => {
  it('shows in a span for each try at the upstream', async () => {
    const upstream = await startRawUpstream((socket, number) =>
      number === 1 ? socket.destroy() : socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    const { host } = await exposeTraced({}, { port: upstream.port, retries: 2 });
    const traceId = newTraceId();
    expect(
      (await proxy.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01` } })).status,
    ).toBe(200);
    const spans = await receiver.trace(traceId, 'kong', 'kong.balancer');
    const [first, last, ...rest] = spans.filter(({ name }) => name === 'kong.balancer');
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ statusCode: 2, attributes: { try_count: 1, 'http.status_code': 502 } });
    expect(last).toMatchObject({ statusCode: 0, attributes: { try_count: 2, 'http.status_code': 200 } });
    expect(upstream.heads[1]).toContain(`traceparent: 00-${traceId}-${last?.spanId}-01`);
    await upstream.stop();
  });

  it('makes the span of the request an error when nobody answers, with the name that was looked up', async () => {
    const { host } = await exposeTraced({}, { host: 'localhost', port: await findFreePort(), retries: 0 });
    const traceId = newTraceId();
    expect(
      (await proxy.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01` } })).status,
    ).toBe(502);
    const spans = await receiver.trace(traceId, 'kong', 'kong.dns', 'kong.balancer');
    expect(spanOf(spans, 'kong')).toMatchObject({ statusCode: 2, attributes: { 'http.status_code': 502 } });
    expect(spanOf(spans, 'kong.dns')).toMatchObject({
      kind: 'client',
      attributes: { 'dns.record.domain': 'localhost' },
    });
  });

  it.each<Readonly<Record<string, string>>>([
    { traceparent: 'ÿÿÿ', b3: '-', 'x-amzn-trace-id': ';;=;Root', 'x-cloud-trace-context': '/;o=' },
    { 'uber-trace-id': `${'a'.repeat(32)}:1:0:1`, [`uberctx-${'n'.repeat(300)}`]: 'ü' },
    { 'ot-tracer-traceid': 'b'.repeat(32), 'ot-baggage-__proto__': 'x', 'ot-baggage-constructor': 'y' },
    { 'x-datadog-trace-id': '9'.repeat(200), 'x-b3-traceid': '%00', 'x-b3-flags': '1' },
  ])('with a caller’s headers leaves its request alone: %j', async (headers) => {
    const { host } = await exposeTraced({ header_type: 'ot' });
    expect((await proxy.send(host, '/api', { headers })).status).toBe(200);
  });

  it('is exported for requests that another plugin refuses', async () => {
    const { host, routeId } = await exposeTraced({ http_response_header_for_traceid: 'x-trace-id' });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    const answer = await proxy.send(host, '/api');
    expect(answer.status).toBe(401);
    const spans = await receiver.trace(
      answer.header('x-trace-id') ?? '',
      'kong',
      'kong.access.plugin.key-auth',
    );
    expect(spanOf(spans, 'kong').attributes['http.status_code']).toBe(401);
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      'kong',
      'kong.access.plugin.key-auth',
      'kong.header_filter.plugin.opentelemetry',
      'kong.router',
    ]);
  });

  it('with the backend does not reach the traffic, and is over when the backend is back', async () => {
    const port = await findFreePort();
    const { host } = await exposeTraced({
      traces_endpoint: `http://127.0.0.1:${port}/v1/traces`,
      queue: { ...SOON, initial_retry_delay: 0.05, max_retry_delay: 0.2 },
    });
    const traceId = newTraceId();
    const headers = { traceparent: `00-${traceId}-${CALLER}-01` };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => proxy.send(host, '/api', { headers })),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const late = await startOtlpReceiver(port);
    await late.until('20 requests', () =>
      late.spans.filter(({ name }) => name === 'kong').length === 20 ? true : undefined,
    );
    await late.stop();
  });
});

describe('sampling', () => {
  it('follows a caller that does not sample', async () => {
    const { host } = await exposeTraced({ sampling_rate: 1 });
    const [refused, wanted] = [newTraceId(), newTraceId()];
    const echo = await proxy.echo(host, '/api', { headers: { traceparent: `00-${refused}-${CALLER}-00` } });
    expect(sentHeader(echo, 'traceparent')).toMatch(new RegExp(`^00-${refused}-(?!${CALLER})\\w{16}-00$`));
    await proxy.send(host, '/api', { headers: { traceparent: `00-${wanted}-${CALLER}-01` } });
    await receiver.trace(wanted, 'kong');
    expect(receiver.spans.filter(({ traceId }) => traceId === refused)).toEqual([]);
  });

  it('is for the instance to decide before the node, whatever the caller wants', async () => {
    const never = await exposeTraced({ sampling_rate: 0 });
    const always = await exposeTraced({ sampling_rate: 1 });
    const [unsampled, sampled] = [newTraceId(), newTraceId()];
    const echo = await proxy.echo(never.host, '/api', {
      headers: { traceparent: `00-${unsampled}-${CALLER}-01` },
    });
    expect(sentHeader(echo, 'traceparent')).toMatch(new RegExp(`^00-${unsampled}-\\w{16}-00$`));
    await proxy.send(always.host, '/api', { headers: { traceparent: `00-${sampled}-${CALLER}-01` } });
    await receiver.trace(sampled, 'kong');
    expect(receiver.spans.filter(({ traceId }) => traceId === unsampled)).toEqual([]);
  });
});

describe('scope', () => {
  it('of a route leaves other routes alone', async () => {
    await exposeTraced();
    const { host } = await proxy.expose();
    const traceparent = `00-${newTraceId()}-${CALLER}-01`;
    const echo = await proxy.echo(host, '/', { headers: { traceparent } });
    expect(sentHeader(echo, 'traceparent')).toBe(traceparent);
    expect(sentHeader(await proxy.echo(host), 'traceparent')).toBeUndefined();
  });

  it('of a consumer wins for that consumer', async () => {
    const { host, routeId } = await exposeTraced({ sampling_rate: 0 });
    const name = `traced-${newTraceId()}`;
    await proxy.write('POST', '/consumers', { username: name });
    await proxy.write('POST', `/consumers/${name}/key-auth`, { key: name });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    const consumer = await proxy.write('GET', `/consumers/${name}`);
    await proxy.write('POST', '/plugins', {
      name: 'opentelemetry',
      route: { id: routeId },
      consumer: { id: consumer.id },
      config: { traces_endpoint: receiver.httpEndpoint, queue: SOON, sampling_rate: 1 },
    });
    const traceId = newTraceId();
    await proxy.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01`, apikey: name } });
    await receiver.trace(traceId, 'kong');
  });

  it('of the whole node covers requests that match no route, and ends with the plugin', async () => {
    const plugin = await proxy.write('POST', '/plugins', {
      name: 'opentelemetry',
      config: { traces_endpoint: receiver.httpEndpoint, queue: SOON },
    });
    const traceId = newTraceId();
    expect((await proxy.send('nowhere.test', '/x')).status).toBe(404);
    const root = await receiver.until('the unmatched request', () =>
      receiver.spans.find(({ attributes }) => attributes['http.host'] === 'nowhere.test'),
    );
    expect(root.attributes).toMatchObject({ 'http.status_code': 404, 'http.route': '' });
    await proxy.write('DELETE', `/plugins/${plugin.id}`);
    const { host } = await proxy.expose();
    expect(sentHeader(await proxy.echo(host), 'traceparent')).toBeUndefined();
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});

describe('a configuration', () => {
  const post = (config: Config) => proxy.admin('POST', '/plugins', { name: 'opentelemetry', config });

  it('needs somewhere to export to', async () => {
    expect((await post({})).body.fields['@entity']).toEqual([
      "at least one of these fields must be non-empty: 'config.traces_endpoint', 'config.logs_endpoint'",
    ]);
  });

  it.each([
    [{ sampling_rate: 1.5 }, { sampling_rate: 'value should be between 0 and 1' }],
    [{ header_type: 'zipkin' }, { header_type: expect.stringContaining('expected one of') }],
    [
      { propagation: { extract: ['preserve'] } },
      { propagation: { extract: [expect.stringContaining('expected one of')] } },
    ],
    [{ resource_attributes: { a: '' } }, { resource_attributes: { a: 'length must be at least 1' } }],
  ])('is refused with %j', async (config, fields) => {
    const { status, body } = await post({ traces_endpoint: receiver.httpEndpoint, ...config });
    expect(status).toBe(400);
    expect(body.fields.config).toEqual(fields);
  });

  it('shows its defaults, and takes the old names of its fields', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'opentelemetry',
      config: { endpoint: receiver.httpEndpoint, batch_span_count: 7, batch_flush_delay: 3 },
    });
    expect(config).toMatchObject({
      traces_endpoint: receiver.httpEndpoint,
      endpoint: receiver.httpEndpoint,
      logs_endpoint: null,
      headers: null,
      resource_attributes: null,
      connect_timeout: 1000,
      send_timeout: 5000,
      read_timeout: 5000,
      http_response_header_for_traceid: null,
      header_type: 'preserve',
      sampling_rate: null,
      propagation: { extract: null, clear: null, inject: null, default_format: 'w3c' },
      queue: {
        max_batch_size: 7,
        max_coalescing_delay: 3,
        max_entries: 10_000,
        max_bytes: null,
        max_retry_time: 60,
        initial_retry_delay: 0.01,
        max_retry_delay: 60,
        concurrency_limit: 1,
      },
    });
  });
});

it('delivers what it still has when the node stops', async () => {
  const stopping = await startProxy({
    TOLLGATE_TRACING_INSTRUMENTATIONS: 'request',
    TOLLGATE_TRACING_SAMPLING_RATE: '1',
  });
  const { host } = await exposeTraced({ queue: { max_coalescing_delay: 3600 } }, {}, stopping);
  const traceId = newTraceId();
  await stopping.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01` } });
  await stopping.stop();
  const spans = await receiver.trace(traceId, 'kong');
  expect(spans).toHaveLength(1);
});

describe('the lines of a request', () => {
  const failing = async (through: ProxyUnderTest) => {
    const service = { port: await findFreePort(), retries: 0 };
    const { host } = await exposeTraced(
      { traces_endpoint: null, logs_endpoint: receiver.logsEndpoint },
      service,
      through,
    );
    const traceId = newTraceId();
    const answer = await through.send(host, '/api', {
      headers: { traceparent: `00-${traceId}-${CALLER}-01` },
    });
    expect(answer.status).toBe(502);
    const line = await receiver.until('the failure', () =>
      receiver.lines.find(
        ({ attributes }) => attributes['request.id'] === answer.header('x-kong-request-id'),
      ),
    );
    expect(line).toMatchObject({ severityNumber: 17, traceId, resource: { 'service.name': 'kong' } });
    expect(line.body).toContain('upstream failed');
    return { traceId, line };
  };

  it('go to the logs endpoint with the ids of request and trace, and nothing else does', async () => {
    const { traceId, line } = await failing(proxy);
    expect(line.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });

  it('go there without any tracing, too', async () => {
    const off = await startProxy();
    await failing(off);
    await off.stop();
  });
});

describe('without tracing_instrumentations', () => {
  let off: ProxyUnderTest;
  beforeAll(async () => {
    off = await startProxy();
  });
  afterAll(() => off?.stop());

  it('passes traces on as not sampled, and exports nothing', async () => {
    const config = { sampling_rate: 1, http_response_header_for_traceid: 'x-trace-id' };
    const { host } = await exposeTraced(config, {}, off);
    const traceId = newTraceId();
    const answer = await off.send(host, '/api', { headers: { traceparent: `00-${traceId}-${CALLER}-01` } });
    const passedOn = sentHeader(answer.json<EchoedRequest>(), 'traceparent') ?? '';
    expect(passedOn).toMatch(new RegExp(`^00-${traceId}-(?!${CALLER})\\w{16}-00$`));
    expect(answer.header('x-trace-id')).toBe(traceId);
    const own = sentHeader(await off.echo(host, '/api'), 'traceparent') ?? '';
    expect(own).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    // Another gateway's export is proof enough of time: this one's would have been earlier.
    const { host: elsewhere } = await exposeTraced();
    const later = newTraceId();
    await proxy.send(elsewhere, '/api', { headers: { traceparent: `00-${later}-${CALLER}-01` } });
    await receiver.trace(later, 'kong');
    expect(receiver.spans.filter((span) => span.traceId === traceId || own.includes(span.traceId))).toEqual(
      [],
    );
  });
});
