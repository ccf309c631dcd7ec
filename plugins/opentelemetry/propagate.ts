/** Takes over the caller's trace and writes it into the request for the upstream. */
import type { TraceContext, TraceWriter } from '@tollgate/sdk';
import { extractTrace, type Format, PROPAGATIONS } from './propagation/formats.ts';
import type { CallerTrace, HeaderSource, OutgoingTrace, TraceHeader } from './propagation/trace-headers.ts';
import type { PropagationPlan } from './propagation-plan.ts';

/** Returns the headers for the upstream. `samplingRate` null: the node's. */
export function propagate(
  headers: HeaderSource,
  tracing: TraceWriter,
  plan: PropagationPlan,
  samplingRate: number | null,
): readonly TraceHeader[] {
  const extraction = extractTrace(headers, plan.extract);
  const caller = extraction?.caller ?? {};
  const context = joinCaller(tracing, caller, samplingRate);
  const trace = outgoingTrace(context, caller);
  const preserved = extraction?.format ?? plan.defaultFormat;
  const formats = new Set<Format>(plan.inject.map((format) => (format === 'preserve' ? preserved : format)));
  // In the caller's own format baggage goes on by itself, like any header.
  const withoutBaggage = { ...trace, baggage: {} };
  return [...formats].flatMap((format) =>
    PROPAGATIONS[format].inject(format === preserved ? withoutBaggage : trace),
  );
}

/** A caller that does not sample is followed; one that does has no say in what this node can take. */
function joinCaller(tracing: TraceWriter, caller: CallerTrace, samplingRate: number | null): TraceContext {
  const traceId = caller.traceId ?? tracing.getContext().traceId;
  const isSampled = caller.isSampled !== false && tracing.isSampledAt(traceId, samplingRate ?? undefined);
  return tracing.join({ traceId, parentSpanId: caller.spanId, isSampled });
}

function outgoingTrace(context: TraceContext, caller: CallerTrace): OutgoingTrace {
  const { traceId, spanId, upstreamSpanId, parentSpanId, isSampled } = context;
  return {
    traceId,
    spanId: upstreamSpanId,
    // Where nothing is recorded there is one span only, and its parent is the caller's.
    parentSpanId: upstreamSpanId === spanId ? parentSpanId : spanId,
    isSampled,
    hasShortTraceId: caller.hasShortTraceId === true,
    isDebug: isSampled && caller.isDebug === true,
    baggage: caller.baggage ?? {},
  };
}
