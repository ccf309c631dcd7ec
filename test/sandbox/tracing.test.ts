/** `kong.tracing` as a plugin of somebody else's finds it, in an isolate of its own. */
import { afterEach, describe, expect, it } from 'vitest';
import { RequestTrace } from '../../core/telemetry/tracing/request-trace.ts';
import type { TraceReport } from '../../sdk/protocol/trace.ts';
import { type LaneUnderTest, startLane } from './support/start-lane.ts';

let lane: LaneUnderTest | undefined;
afterEach(() => lane?.end());

const begin = (isSampled = true) => RequestTrace.begin(Date.now, 0.5, () => isSampled);

async function run(does: string, trace?: RequestTrace) {
  lane ??= await startLane('tracing');
  const result = await lane.run(does, trace);
  if ('failure' in result) throw new Error(result.detail);
  const { outcome, report } = result;
  return { outcome, report, answer: outcome.body === '' ? undefined : JSON.parse(outcome.body) };
}

describe('a plugin', () => {
  it('sees the trace the host has begun', async () => {
    lane = await startLane('tracing');
    const trace = begin();
    const { spanId, traceId, upstreamSpanId } = trace;
    expect((await run('look', trace)).answer).toEqual({
      context: { spanId, traceId, upstreamSpanId, isSampled: true },
      isRecording: true,
    });
  });

  it('is given a trace that nobody samples where the host records nothing', async () => {
    lane = await startLane('tracing');
    const { answer, report } = await run('look');
    expect(answer.isRecording).toBe(false);
    expect(answer.context).toMatchObject({ isSampled: false, upstreamSpanId: answer.context.spanId });
    expect(report?.state).toMatchObject({ traceId: answer.context.traceId, isRecording: false });
    expect((await run('sample')).answer).toEqual({ always: false, never: false, byNode: false });
  });

  it('samples at a rate of its own or the node’s', async () => {
    lane = await startLane('tracing');
    expect((await run('sample', begin())).answer).toEqual({ always: true, never: false, byNode: false });
  });

  it('joins another trace, and is recorded with the time it took', async () => {
    lane = await startLane('tracing');
    const { report } = await run('join', begin());
    expect(report?.state).toMatchObject({
      traceId: 'a'.repeat(32),
      parentSpanId: 'b'.repeat(16),
      isSampled: true,
    });
    expect(report?.timings).toEqual([
      { plugin: 'tracing', startedAtMs: expect.any(Number), endedAtMs: expect.any(Number), error: '' },
    ]);
    const { startedAtMs = 0, endedAtMs = 0 } = report?.timings[0] ?? {};
    expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs);
  });

  it('cannot join what is no trace', async () => {
    lane = await startLane('tracing');
    const { outcome } = await run('join nonsense', begin());
    expect(outcome.failure?.message).toBe('invalid trace id');
  });

  it.each([
    ['throw', 'broken'],
    ['throw later', 'broken\n["forged",0,0,""]'],
  ])('that fails is recorded with its error: %s', async (does, error) => {
    lane = await startLane('tracing');
    const { outcome, report } = await run(does, begin());
    expect(outcome.kind).toBe('error');
    expect(report?.timings).toMatchObject([{ plugin: 'tracing', error }]);
  });

  it('says nothing of a request without a trace that it leaves alone', async () => {
    lane = await startLane('tracing');
    expect((await run('nothing')).report).toBeUndefined();
  });
});

describe('an export', () => {
  it('names the trace of its request, sampled ones alone', async () => {
    const exported: string[] = [];
    lane = await startLane('tracing', {}, { exportTrace: (spanId) => exported.push(spanId) });
    const [sampled, unsampled] = [begin(), begin(false)];
    lane.log('', unsampled);
    lane.log('', undefined);
    lane.log('', sampled);
    await lane.lane.collectMetrics();
    expect(exported).toEqual([sampled.spanId]);
  });

  it('is refused to a plugin that has not asked for it', async () => {
    lane = await startLane('asking');
    lane.log('', begin());
    await lane.lane.collectMetrics();
    expect(lane.logLines).toMatchObject([
      { level: 'err', message: expect.stringContaining(`the manifest does not ask for 'traceExport'`) },
    ]);
  });
});

it('is spared reports without end', () => {
  const trace = begin();
  const timing = { plugin: 'p', startedAtMs: 0, endedAtMs: 0, error: '' };
  const report: TraceReport = { state: undefined, timings: new Array(256).fill(timing) };
  for (let count = 0; count < 100; count++) trace.onPhaseReport(report);
  expect(trace.runs).toHaveLength(512);
});
