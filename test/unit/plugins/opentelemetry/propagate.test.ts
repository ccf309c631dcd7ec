/** What becomes of a caller's trace: joined, sampled or not, and told to the upstream. */
import { describe, expect, it } from 'vitest';
import { propagate } from '../../../../plugins/opentelemetry/propagate.ts';
import { type PropagationPlan, planPropagation } from '../../../../plugins/opentelemetry/propagation-plan.ts';
import type { TraceContext, TraceWriter } from '../../../../sdk/tracing.ts';
import { headerSource } from './header-source.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const OWN = 'f'.repeat(32);
const ROOT = '1111111111111111';
const BALANCER = '2222222222222222';

function tracing(isRecording = true): TraceWriter & { readonly rates: (number | undefined)[] } {
  const rates: (number | undefined)[] = [];
  let context: TraceContext = {
    traceId: OWN,
    spanId: ROOT,
    upstreamSpanId: isRecording ? BALANCER : ROOT,
    parentSpanId: undefined,
    isSampled: false,
  };
  return {
    rates,
    getContext: () => context,
    isRecording: () => isRecording,
    isSampledAt: (_, rate) => {
      rates.push(rate);
      return isRecording && rate !== 0;
    },
    join: ({ traceId, parentSpanId, isSampled }) => {
      context = {
        ...context,
        traceId: traceId ?? context.traceId,
        parentSpanId: parentSpanId ?? context.parentSpanId,
        isSampled: isSampled && isRecording,
      };
      return context;
    },
  };
}

const none = { extract: null, clear: null, inject: null, default_format: 'w3c' } as const;
const preserve = planPropagation({ header_type: 'preserve', propagation: none });
const plan = (changes: Partial<PropagationPlan>): PropagationPlan => ({ ...preserve, ...changes });

describe('a caller’s trace', () => {
  const w3c = headerSource({ traceparent: `00-${TRACE}-${CALLER}-01` });

  it('goes on, with the span of the last try as the parent', () => {
    const writer = tracing();
    const headers = propagate(w3c, writer, preserve, null);
    expect(writer.getContext()).toMatchObject({ traceId: TRACE, parentSpanId: CALLER, isSampled: true });
    expect(headers).toEqual([['traceparent', `00-${TRACE}-${BALANCER}-01`]]);
  });

  it('goes on in the format it came in, and in those asked for besides', () => {
    const b3 = headerSource({ b3: `${TRACE}-${CALLER}-1` });
    expect(propagate(b3, tracing(), plan({ inject: ['preserve', 'w3c', 'b3-single'] }), null)).toEqual([
      ['b3', `${TRACE}-${BALANCER}-1-${ROOT}`],
      ['traceparent', `00-${TRACE}-${BALANCER}-01`],
    ]);
  });

  it('takes its baggage along into other formats, as far as it is any', () => {
    const jaeger = headerSource({
      'uber-trace-id': `${TRACE}:${CALLER}:0:1`,
      'uberctx-user': 'u',
      [`uberctx-${'n'.repeat(129)}`]: 'too long a name',
    });
    expect(propagate(jaeger, tracing(), plan({ inject: ['preserve', 'ot'] }), null)).toEqual([
      ['uber-trace-id', `${TRACE}:${BALANCER}:${ROOT}:01`],
      ['ot-tracer-traceid', TRACE],
      ['ot-tracer-spanid', BALANCER],
      ['ot-tracer-sampled', '1'],
      ['ot-baggage-user', 'u'],
    ]);
    const crowd = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`uberctx-${at}`, 'x']));
    const many = headerSource({ 'uber-trace-id': `${TRACE}:${CALLER}:0:1`, ...crowd });
    expect(propagate(many, tracing(), plan({ inject: ['ot'] }), null)).toHaveLength(3 + 64);
  });

  it('is not sampled where the caller does not sample', () => {
    const refusing = headerSource({ traceparent: `00-${TRACE}-${CALLER}-00` });
    expect(propagate(refusing, tracing(), preserve, 1)).toEqual([
      ['traceparent', `00-${TRACE}-${BALANCER}-00`],
    ]);
    expect(propagate(headerSource({ b3: '0' }), tracing(), preserve, 1)).toEqual([
      ['b3', `${OWN}-${BALANCER}-0-${ROOT}`],
    ]);
  });

  it('is sampled at the rate of the instance before that of the node, whatever the caller wants', () => {
    const writer = tracing();
    propagate(w3c, writer, preserve, 0);
    expect(writer.getContext().isSampled).toBe(false);
    propagate(w3c, writer, preserve, null);
    expect(writer.getContext().isSampled).toBe(true);
    expect(writer.rates).toEqual([0, undefined]);
  });

  it('goes on unsampled where the node records nothing, without claiming debug', () => {
    const b3 = headerSource({ 'x-b3-traceid': TRACE, 'x-b3-spanid': CALLER, 'x-b3-flags': '1' });
    expect(propagate(b3, tracing(false), preserve, 1)).toEqual([
      ['x-b3-traceid', TRACE],
      ['x-b3-spanid', ROOT],
      ['x-b3-parentspanid', CALLER],
      ['x-b3-sampled', '0'],
    ]);
  });

  it('is left alone where nothing is to be extracted', () => {
    const writer = tracing();
    propagate(w3c, writer, plan({ extract: [] }), null);
    expect(writer.getContext()).toMatchObject({ traceId: OWN, parentSpanId: undefined });
  });
});

it('begins here, in the default format, without a caller', () => {
  const headers = propagate(headerSource({}), tracing(), plan({ defaultFormat: 'jaeger' }), null);
  expect(headers).toEqual([['uber-trace-id', `${OWN}:${BALANCER}:${ROOT}:01`]]);
});

describe('a configuration', () => {
  const all = ['b3', 'w3c', 'jaeger', 'ot', 'datadog', 'aws', 'gcp'];

  it.each([
    ['preserve', all, ['preserve']],
    ['ignore', [], ['w3c']],
    ['b3-single', all, ['preserve', 'b3-single']],
    ['gcp', all, ['preserve', 'gcp']],
  ] as const)('with header_type %s means what it always meant', (header_type, extract, inject) => {
    expect(planPropagation({ header_type, propagation: none })).toEqual({
      extract,
      clear: [],
      inject,
      defaultFormat: 'w3c',
    });
  });

  it('with any of extract, clear and inject disregards header_type', () => {
    const propagation = { ...none, clear: ['b3'] };
    expect(planPropagation({ header_type: 'b3', propagation })).toEqual({
      extract: [],
      clear: ['b3'],
      inject: [],
      defaultFormat: 'w3c',
    });
  });
});
