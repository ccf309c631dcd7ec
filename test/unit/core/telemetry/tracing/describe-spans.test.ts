/** The spans a request leaves behind: names, kinds, parents, attributes of both vocabularies, errors. */
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../../core/errors.ts';
import { describeSpans, type TracedRequest } from '../../../../../core/telemetry/tracing/describe-spans.ts';
import {
  type Instrumentation,
  listRecordedSpans,
} from '../../../../../core/telemetry/tracing/instrumentations.ts';
import { RequestTrace } from '../../../../../core/telemetry/tracing/request-trace.ts';

const REQUEST: TracedRequest = {
  requestId: 'f'.repeat(32),
  method: 'GET',
  scheme: 'http',
  host: 'api.example:8000',
  rawPath: '/a%20b',
  rawQuery: 'x=1&apikey=secret',
  httpVersion: '1.1',
  localPort: 8000,
  peerAddress: '10.0.0.1',
  clientAddress: '192.0.2.7',
  userAgent: 'curl/8',
  receivedAtMs: 1000,
  endedAtMs: 1100,
  status: 200,
  route: '/a',
  upstream: { host: 'origin.example', port: 8080, method: 'GET', status: 200 },
};

let clockMs = 0;
const nowMs = () => clockMs;

function begin(): RequestTrace {
  clockMs = 1000;
  return RequestTrace.begin(nowMs, 1, () => true);
}

function spansOf(
  trace: RequestTrace,
  changes: Partial<TracedRequest> = {},
  instrumentations: readonly Instrumentation[] = ['all'],
) {
  return describeSpans(trace, { ...REQUEST, ...changes }, listRecordedSpans(instrumentations));
}

describe('the span of a request', () => {
  it('carries Kong’s attributes and those of the semantic conventions', () => {
    const trace = begin();
    const [span] = spansOf(trace);
    expect(span).toMatchObject({
      name: 'kong',
      kind: 'server',
      traceId: trace.traceId,
      spanId: trace.spanId,
      parentSpanId: '',
      startedAtMs: 1000,
      endedAtMs: 1100,
      isError: false,
    });
    expect(span?.attributes).toEqual({
      'http.method': 'GET',
      'http.url': 'http://api.example:8000/a%20b?x=1&apikey=REDACTED',
      'http.host': 'api.example:8000',
      'http.scheme': 'http',
      'http.flavor': 1.1,
      'http.client_ip': '192.0.2.7',
      'net.peer.ip': '10.0.0.1',
      'kong.request.id': 'f'.repeat(32),
      'http.status_code': 200,
      'http.route': '/a',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/a%20b',
      'url.query': 'x=1&apikey=REDACTED',
      'server.address': 'api.example',
      'server.port': 8000,
      'client.address': '192.0.2.7',
      'network.peer.address': '10.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'curl/8',
    });
  });

  it('is an error from 500 on, and not below', () => {
    expect(spansOf(begin(), { status: 503 })[0]).toMatchObject({
      isError: true,
      attributes: { 'error.type': '503' },
    });
    expect(spansOf(begin(), { status: 429 })[0]?.isError).toBe(false);
  });

  it('has the caller’s span as its parent once a plugin has joined its trace, and keeps its own ids', () => {
    const trace = begin();
    const { spanId, upstreamSpanId } = trace;
    const joined = { traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), isSampled: true };
    const claimed = {
      spanId: 'c'.repeat(16),
      upstreamSpanId: 'c'.repeat(16),
      isRecording: true,
      samplingRate: 1,
      hasLogs: false,
      isMadeUp: false,
    };
    trace.onPhaseReport({ state: { ...joined, ...claimed }, timings: [] });
    expect(spansOf(trace)[0]).toMatchObject({
      traceId: 'a'.repeat(32),
      spanId,
      parentSpanId: 'b'.repeat(16),
      hasRemoteParent: true,
    });
    expect(trace.upstreamSpanId).toBe(upstreamSpanId);
  });
});

describe('plugins', () => {
  it('have a span for each phase they ran in, within the phase as the host saw it', () => {
    const trace = begin();
    clockMs = 1010.4;
    trace.onPhaseStart('access');
    clockMs = 1013.2;
    const timing = { startedAtMs: 1010, endedAtMs: 1012, error: '' };
    trace.onPhaseReport({
      state: undefined,
      timings: [
        { ...timing, plugin: 'key-auth' },
        { plugin: 'late', startedAtMs: -5, endedAtMs: 9e15, error: 'broken' },
      ],
    });
    trace.onPhaseStart('response');
    trace.onPhaseReport({ state: undefined, timings: [{ ...timing, plugin: 'cors' }] });
    expect(spansOf(trace).slice(1)).toMatchObject([
      { name: 'kong.access.plugin.key-auth', kind: 'internal', startedAtMs: 1010.4, endedAtMs: 1012 },
      {
        name: 'kong.access.plugin.late',
        startedAtMs: 1010.4,
        endedAtMs: 1013.2,
        isError: true,
        exception: 'broken',
      },
      { name: 'kong.header_filter.plugin.cors', startedAtMs: 1013.2, endedAtMs: 1013.2 },
    ]);
  });
});

describe('tries at the upstream', () => {
  it('have a span each, the last of which is the one the upstream was told of', () => {
    const trace = begin();
    clockMs = 1020;
    trace.onTry('127.0.0.1', 8080);
    clockMs = 1030;
    trace.onTryFailed(new GatewayError('GW_UPSTREAM_CLOSED'));
    trace.onTry('127.0.0.2', 8080);
    clockMs = 1050;
    trace.onUpstreamEnd();
    const [, first, last] = spansOf(trace, {}, ['balancer']);
    expect(first).toMatchObject({
      name: 'kong.balancer',
      kind: 'client',
      parentSpanId: trace.spanId,
      startedAtMs: 1020,
      endedAtMs: 1030,
      isError: true,
      attributes: {
        try_count: 1,
        'net.peer.ip': '127.0.0.1',
        'net.peer.port': 8080,
        'net.peer.name': 'origin.example',
        'http.status_code': 502,
        'error.type': 'GW_UPSTREAM_CLOSED',
      },
    });
    expect(first?.spanId).not.toBe(trace.upstreamSpanId);
    expect(last).toMatchObject({
      spanId: trace.upstreamSpanId,
      startedAtMs: 1030,
      endedAtMs: 1050,
      isError: false,
      attributes: {
        try_count: 2,
        'net.peer.ip': '127.0.0.2',
        'http.status_code': 200,
        'http.response.status_code': 200,
        'http.request.resend_count': 1,
        'server.address': 'origin.example',
      },
    });
  });

  it('end with the request where the client left first', () => {
    const trace = begin();
    trace.onTry('127.0.0.1', 8080);
    const upstream = { host: 'origin.example', port: 8080, method: 'GET', status: 0 };
    const [, span] = spansOf(trace, { status: 499, upstream });
    expect(span).toMatchObject({ endedAtMs: 1100 });
    expect(span?.attributes).not.toHaveProperty('http.status_code');
  });
});

it('records the lookup of a name, and one that failed', () => {
  const trace = begin();
  trace.onLookup('origin.example');
  trace.onLookupEnd('127.0.0.1');
  trace.onLookup('nowhere.example');
  trace.onLookupEnd(undefined);
  expect(spansOf(trace).slice(1)).toMatchObject([
    {
      name: 'kong.dns',
      kind: 'client',
      isError: false,
      attributes: {
        'dns.record.domain': 'origin.example',
        'dns.record.port': 8080,
        'dns.record.ip': '127.0.0.1',
      },
    },
    { name: 'kong.dns', isError: true },
  ]);
});

it('records only what is asked for, and the request itself always', () => {
  const trace = begin();
  trace.onRouted(999);
  trace.onLookup('origin.example');
  trace.onTry('127.0.0.1', 1);
  trace.onPhaseReport({
    state: undefined,
    timings: [{ plugin: 'a', startedAtMs: 0, endedAtMs: 0, error: '' }],
  });
  const names = (...instrumentations: Instrumentation[]) =>
    spansOf(trace, {}, instrumentations).map(({ name }) => name);
  expect(names('all')).toEqual(['kong', 'kong.router', 'kong.access.plugin.a', 'kong.dns', 'kong.balancer']);
  expect(names('request')).toEqual(['kong']);
  expect(names('router', 'plugin_access')).toEqual(['kong', 'kong.router', 'kong.access.plugin.a']);
  expect(names('plugin_header_filter')).toEqual(['kong']);
});

it('notes nothing for a trace that is only passed on', () => {
  const trace = RequestTrace.passedOn({ ...begin(), isSampled: true, isRecording: true, hasLogs: false });
  trace.onTry('127.0.0.1', 1);
  trace.onLookup('a');
  trace.onPhaseStart('access');
  expect(trace).toMatchObject({ isSampled: false, isRecording: false, tries: [], lookups: [] });
});
