/** Each format of propagation headers: what is read of it, what is written, and what is no such thing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EXTRACT_FORMATS,
  extractTrace,
  FORMATS,
  type Format,
  PROPAGATIONS,
} from '../../../../plugins/opentelemetry/propagation/formats.ts';
import type { OutgoingTrace } from '../../../../plugins/opentelemetry/propagation/trace-headers.ts';
import { headerSource } from './header-source.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SHORT = 'a3ce929d0e0e4736';
const PADDED = `0000000000000000${SHORT}`;
const SPAN = '00f067aa0ba902b7';
const PARENT = 'e457b5a2e4d86bd1';

type Headers = Readonly<Record<string, string>>;

const read = (format: Format, headers: Headers) => PROPAGATIONS[format].extract(headerSource(headers));

describe('a caller is understood', () => {
  it.each<readonly [Format, Headers, Record<string, unknown>]>([
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01` }, { traceId: TRACE, spanId: SPAN, isSampled: true }],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-00` }, { traceId: TRACE, isSampled: false }],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-03` }, { isSampled: true }],
    ['w3c', { traceparent: `cc-${TRACE}-${SPAN}-01-what-comes-later` }, { traceId: TRACE, spanId: SPAN }],
    [
      'b3',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' },
      { traceId: TRACE, spanId: SPAN, isSampled: true },
    ],
    [
      'b3',
      { 'x-b3-traceid': SHORT, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'false' },
      { traceId: PADDED, hasShortTraceId: true, isSampled: false },
    ],
    [
      'b3',
      { 'x-b3-traceid': TRACE.toUpperCase(), 'x-b3-spanid': SPAN },
      { traceId: TRACE, isSampled: undefined },
    ],
    [
      'b3',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1', 'x-b3-sampled': '0' },
      { isSampled: true, isDebug: true },
    ],
    ['b3', { 'x-b3-sampled': '0' }, { isSampled: false }],
    ['b3', { b3: `${TRACE}-${SPAN}-0-${PARENT}` }, { traceId: TRACE, spanId: SPAN, isSampled: false }],
    ['b3', { b3: '0' }, { isSampled: false }],
    ['b3-single', { b3: `${SHORT}-${SPAN}` }, { traceId: PADDED, spanId: SPAN, hasShortTraceId: true }],
    ['b3-single', { b3: `${TRACE}-${SPAN}-d` }, { isSampled: true, isDebug: true }],
    [
      'jaeger',
      { 'uber-trace-id': `${TRACE}:${SPAN}:0:1` },
      { traceId: TRACE, spanId: SPAN, isSampled: true },
    ],
    ['jaeger', { 'uber-trace-id': `${TRACE}%3A${SPAN}%3A0%3A0` }, { traceId: TRACE, isSampled: false }],
    [
      'jaeger',
      { 'uber-trace-id': 'abc:1:0:3', 'uberctx-user': 'u' },
      {
        traceId: `${'0'.repeat(29)}abc`,
        spanId: '0000000000000001',
        isSampled: true,
        baggage: { user: 'u' },
      },
    ],
    [
      'ot',
      {
        'ot-tracer-traceid': SHORT,
        'ot-tracer-spanid': SPAN,
        'ot-tracer-sampled': 'true',
        'ot-baggage-a': 'b',
      },
      { traceId: PADDED, spanId: SPAN, isSampled: true, baggage: { a: 'b' } },
    ],
    [
      'datadog',
      {
        'x-datadog-trace-id': '11803532876627986230',
        'x-datadog-parent-id': '67667974448284343',
        'x-datadog-sampling-priority': '2',
      },
      { traceId: PADDED, spanId: SPAN, isSampled: true },
    ],
    ['datadog', { 'x-datadog-trace-id': '1', 'x-datadog-sampling-priority': '-1' }, { isSampled: false }],
    [
      'aws',
      { 'x-amzn-trace-id': `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${SPAN};Sampled=1` },
      { traceId: TRACE, spanId: SPAN, isSampled: true },
    ],
    [
      'aws',
      { 'x-amzn-trace-id': `Self=x; Sampled=?; Root=1-4bf92f35-77b34da6a3ce929d0e0e4736` },
      { traceId: TRACE, spanId: undefined, isSampled: undefined },
    ],
    [
      'gcp',
      { 'x-cloud-trace-context': `${TRACE}/67667974448284343;o=1` },
      { traceId: TRACE, spanId: SPAN, isSampled: true },
    ],
    ['gcp', { 'x-cloud-trace-context': TRACE }, { traceId: TRACE, isSampled: undefined }],
  ])('in %s: %j', (format, headers, expected) => {
    const caller = read(format, headers);
    expect(caller).toBeDefined();
    for (const [name, value] of Object.entries(expected)) {
      expect({ ...caller }[name], name).toEqual(value);
    }
  });
});

describe('what is not well-formed counts as absent', () => {
  it.each<readonly [Format, Headers]>([
    ['w3c', {}],
    ['w3c', { traceparent: '' }],
    ['w3c', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` }],
    ['w3c', { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` }],
    ['w3c', { traceparent: `ff-${TRACE}-${SPAN}-01` }],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01-more` }],
    ['w3c', { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-01` }],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}` }],
    ['w3c', { traceparent: `00-${TRACE}0-${SPAN}-01` }],
    ['b3', { 'x-b3-traceid': `${TRACE}0`, 'x-b3-spanid': SPAN }],
    ['b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': 'no' }],
    ['b3', { b3: `${TRACE}-${SPAN}-1-${PARENT}-more` }],
    ['b3-single', { b3: `${TRACE}-${'0'.repeat(16)}-1` }],
    ['jaeger', { 'uber-trace-id': `${TRACE}:0:0:1` }],
    ['jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:0` }],
    ['jaeger', { 'uber-trace-id': `x${TRACE}:${SPAN}:0:1` }],
    ['ot', { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': 'x' }],
    ['datadog', { 'x-datadog-trace-id': '0' }],
    ['datadog', { 'x-datadog-trace-id': '18446744073709551616' }],
    ['datadog', { 'x-datadog-trace-id': '-1', 'x-datadog-sampling-priority': 'x' }],
    ['aws', { 'x-amzn-trace-id': `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=zz` }],
    ['aws', { 'x-amzn-trace-id': 'Root=2-4bf92f35-77b34da6a3ce929d0e0e4736' }],
    ['gcp', { 'x-cloud-trace-context': `${SHORT}/1;o=1` }],
    ['gcp', { 'x-cloud-trace-context': `${TRACE}/x` }],
  ])('in %s: %j', (format, headers) => {
    expect(read(format, headers)).toBeUndefined();
  });

  it('keeps the decision of half an identity', () => {
    expect(read('b3', { 'x-b3-traceid': 'x', 'x-b3-sampled': '0' })).toMatchObject({ isSampled: false });
  });
});

const outgoing: OutgoingTrace = {
  traceId: TRACE,
  spanId: SPAN,
  parentSpanId: PARENT,
  isSampled: true,
  hasShortTraceId: false,
  isDebug: false,
  baggage: {},
};

describe('an upstream is told', () => {
  const short = { traceId: PADDED, hasShortTraceId: true };
  it.each<readonly [Format, Partial<OutgoingTrace>, Headers]>([
    ['w3c', {}, { traceparent: `00-${TRACE}-${SPAN}-01` }],
    ['w3c', { ...short, isSampled: false }, { traceparent: `00-${PADDED}-${SPAN}-00` }],
    [
      'b3',
      {},
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-parentspanid': PARENT, 'x-b3-sampled': '1' },
    ],
    [
      'b3',
      { ...short, parentSpanId: undefined, isSampled: false },
      { 'x-b3-traceid': SHORT, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' },
    ],
    [
      'b3',
      { isDebug: true, parentSpanId: undefined },
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' },
    ],
    ['b3-single', {}, { b3: `${TRACE}-${SPAN}-1-${PARENT}` }],
    ['b3-single', { isDebug: true, parentSpanId: undefined }, { b3: `${TRACE}-${SPAN}-d` }],
    [
      'jaeger',
      { baggage: { user: 'u' } },
      { 'uber-trace-id': `${TRACE}:${SPAN}:${PARENT}:01`, 'uberctx-user': 'u' },
    ],
    ['jaeger', { isSampled: false, parentSpanId: undefined }, { 'uber-trace-id': `${TRACE}:${SPAN}:0:00` }],
    [
      'ot',
      { baggage: { a: 'b' } },
      { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': SPAN, 'ot-tracer-sampled': '1', 'ot-baggage-a': 'b' },
    ],
    [
      'datadog',
      {},
      {
        'x-datadog-trace-id': '11803532876627986230',
        'x-datadog-parent-id': '67667974448284343',
        'x-datadog-sampling-priority': '1',
      },
    ],
    ['datadog', { traceId: `${SHORT}0000000000000000` }, {}],
    ['aws', {}, { 'x-amzn-trace-id': `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${SPAN};Sampled=1` }],
    ['gcp', { isSampled: false }, { 'x-cloud-trace-context': `${TRACE}/67667974448284343;o=0` }],
  ])('in %s: %j', (format, changes, expected) => {
    expect(Object.fromEntries(PROPAGATIONS[format].inject({ ...outgoing, ...changes }))).toEqual(expected);
  });

  it('what a caller said, in every format', () => {
    for (const format of FORMATS) {
      const caller = read(format, Object.fromEntries(PROPAGATIONS[format].inject(outgoing)));
      const traceId = format === 'datadog' ? PADDED : TRACE;
      expect(caller, format).toMatchObject({ traceId, spanId: SPAN, isSampled: true });
    }
  });
});

describe('the first format with something in it', () => {
  const both = { traceparent: `00-${TRACE}-${SPAN}-01`, b3: `${TRACE}-${PARENT}-0` };

  it('wins, in the order of the configuration', () => {
    expect(extractTrace(headerSource(both), ['w3c', 'b3'])).toMatchObject({ format: 'w3c' });
    expect(extractTrace(headerSource(both), ['b3', 'w3c'])).toMatchObject({
      format: 'b3-single',
      caller: { spanId: PARENT },
    });
  });

  it('is the next one where a header is malformed', () => {
    const headers = { ...both, b3: 'malformed' };
    expect(extractTrace(headerSource(headers), ['b3', 'w3c'])).toMatchObject({ format: 'w3c' });
  });

  it('is none where nothing is listed', () => {
    expect(extractTrace(headerSource(both), [])).toBeUndefined();
  });
});

describe('hostile headers', () => {
  const NAMES = [
    'traceparent',
    'b3',
    'x-b3-traceid',
    'x-b3-spanid',
    'x-b3-sampled',
    'x-b3-flags',
    'uber-trace-id',
    'uberctx-a',
    'ot-tracer-traceid',
    'ot-tracer-spanid',
    'ot-tracer-sampled',
    'x-datadog-trace-id',
    'x-datadog-parent-id',
    'x-datadog-sampling-priority',
    'x-amzn-trace-id',
    'x-cloud-trace-context',
  ];
  const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 15, maxLength: 33 });
  const nearly = fc
    .array(
      fc.oneof(hex, fc.constantFrom('0', '1', 'd', '00', '01', 'Root=1', 'Parent=', 'o=1', '0'.repeat(16))),
      {
        maxLength: 6,
      },
    )
    .chain((parts) => fc.constantFrom('-', ':', ';', '/', '%3A').map((between) => parts.join(between)));
  const value = fc.oneof(
    nearly,
    hex,
    fc.string(),
    fc.nat().map(String),
    fc.bigInt({ min: 0n, max: 1n << 70n }).map(String),
  );
  const headers = fc.dictionary(fc.constantFrom(...NAMES), value);

  it('never throw, and never become an id that is none', () => {
    fc.assert(
      fc.property(headers, fc.constantFrom(...FORMATS), (given, format) => {
        const { caller } = extractTrace(headerSource(given), EXTRACT_FORMATS) ?? {};
        expect(caller?.traceId ?? TRACE).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
        expect(caller?.spanId ?? SPAN).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
        const trace = {
          ...outgoing,
          traceId: caller?.traceId ?? TRACE,
          hasShortTraceId: caller?.hasShortTraceId === true,
        };
        const written = Object.fromEntries(PROPAGATIONS[format].inject(trace));
        const again = read(format, written);
        if (Object.keys(written).length > 0) expect(again).toMatchObject({ spanId: SPAN, isSampled: true });
      }),
      { numRuns: 2000 },
    );
  });
});
