/** The trace as later phases see it: that of the request, or none. */
import { expect, it } from 'vitest';
import { RequestTrace } from '../../../../core/telemetry/tracing/request-trace.ts';
import type { CallState } from '../../../../sdk/guest/call-state.ts';
import { CallTrace } from '../../../../sdk/guest/call-trace.ts';
import { TraceView } from '../../../../sdk/guest/tracing-view.ts';

const view = (trace: RequestTrace | undefined) =>
  new TraceView({ trace: trace && CallTrace.decode(trace.encode()) } as CallState);

it('is the one the host has begun, or a plugin has passed on', () => {
  const begun = RequestTrace.begin(Date.now, 1, () => true);
  const { traceId, spanId, upstreamSpanId } = begun;
  expect(view(begun).getContext()).toEqual({
    traceId,
    spanId,
    upstreamSpanId,
    parentSpanId: undefined,
    isSampled: true,
  });
  const passedOn = RequestTrace.passedOn(CallTrace.begin().state);
  expect(view(passedOn).getContext()).toMatchObject({ traceId: passedOn.traceId, isSampled: false });
});

it('is none where nobody asked for one, even if lines are kept under some id', () => {
  expect(view(undefined).getContext()).toBeUndefined();
  const forLines = RequestTrace.forLines();
  forLines.onLine('err', '', 'failed', 0);
  expect(view(forLines).getContext()).toBeUndefined();
});

it('is the one a plugin passes on after lines have been kept', () => {
  const trace = RequestTrace.forLines();
  trace.onLine('err', '', 'failed', 0);
  const { state } = CallTrace.begin();
  trace.onPhaseReport({ state, timings: [] });
  const { traceId, spanId, upstreamSpanId } = state;
  expect(view(trace).getContext()).toMatchObject({ traceId, spanId, upstreamSpanId, isSampled: false });
  expect(trace.hasLogs).toBe(true);
});
