/**
 * Drives the plugins of one call through one phase, in order.
 *
 * Handlers may be synchronous; the next one then starts without a turn of the microtask queue. After an answer or
 * a failure the rest of the plugins are still collected, since their later phases run on it (contract/proxy.md
 * section 10.4).
 */
import type { PluginDefinition } from '../define-plugin.ts';
import { GUEST_FRAMES } from '../protocol/frames.ts';
import type { PhaseName } from '../protocol/manifest.ts';
import { RUNS } from '../protocol/phase-call.ts';
import type { GuestError } from '../protocol/phase-result.ts';
import { pickInstance } from '../protocol/plan.ts';
import { SlotTable } from '../protocol/slot-table.ts';
import { TRACE_MARK } from '../protocol/trace.ts';
import { CallState } from './call-state.ts';
import { CallTrace, type RunningPlugin } from './call-trace.ts';
import { findGeneration, type Generation } from './configuration.ts';
import { releaseContexts } from './context-view.ts';
import { encodeResult } from './encode-result.ts';
import { AccessKongView, LogKongView, ResponseKongView, RewriteKongView } from './kong.ts';
import { emitFrame } from './outbox.ts';
import { sample, Timing } from './usage.ts';
import { abandonLoads } from './value-cache.ts';

/** Calls that have not finished, by id: what a cancellation looks in. */
export const activeCalls = new SlotTable<CallState>();

type Handler = (kong: unknown, config: unknown) => unknown;

/** Instances attached to nothing, until one answers or fails. Nothing is collected: access does that. */
export function startRewrite(id: number, payload: string): void {
  const { call, generation } = openCall(id, 'rewrite', payload);
  const kong = new RewriteKongView(call);
  let failure: GuestError | undefined;

  const runFrom = (first: number): void => {
    for (let at = first; at < call.plan.steps.length; at++) {
      const number = call.plan.steps[at]?.fallback ?? -1;
      if (number < 0 || call.hasExited || failure !== undefined) continue;
      call.instance = generation.instances[number];
      const settled = invoke(call, kong, fail, () => runFrom(at + 1));
      if (!settled) return;
    }
    emitResult(call, failure);
  };
  const fail = (error: unknown): void => {
    failure = describeError(call, error);
  };
  runFrom(0);
}

export function startAccess(id: number, payload: string): void {
  const { call, generation } = openCall(id, 'access', payload);
  const kong = new AccessKongView(call);
  const runs = call.phaseFacts.startsWith(RUNS);
  let failure: GuestError | undefined;

  const runFrom = (first: number): void => {
    for (let at = first; at < call.plan.steps.length; at++) {
      const candidates = call.plan.steps[at];
      if (candidates === undefined) continue;
      const number = pickInstance(candidates, generation.consumers[candidates.plugin], call.consumer?.id);
      if (number < 0) continue;
      call.collect(number);
      if (!runs || call.hasExited || failure !== undefined) continue;
      call.instance = generation.instances[number];
      const settled = invoke(call, kong, fail, () => runFrom(at + 1));
      if (!settled) return;
    }
    emitResult(call, failure);
  };
  const fail = (error: unknown): void => {
    failure = describeError(call, error);
  };
  runFrom(0);
}

export function startResponse(id: number, payload: string): void {
  const { call, generation } = openCall(id, 'response', payload);
  const kong = new ResponseKongView(call);
  runPicked(call, generation, kong, () => {
    emitResult(call, undefined);
  });
}

/** The log call that is being started, and those that wait for something, with the time they began. */
let startingLog: CallState | undefined;
const pendingLogs = new Map<CallState, number>();

/** Log calls have no result. */
export function startLog(id: number, payload: string): void {
  const { call, generation } = openCall(id, 'log', payload);
  startingLog = call;
  runPicked(call, generation, new LogKongView(call), () => {
    closeCall(call);
    pendingLogs.delete(call);
    releaseContexts(call);
  });
  startingLog = undefined;
  if (!call.isFinished) pendingLogs.set(call, Date.now());
}

/** A pump was cut short: the log call that was being started will not go on. */
export function abandonLog(): void {
  startingLog?.finish();
  startingLog = undefined;
}

export function expireLogs(olderThanMs: number): void {
  const startedBeforeMs = Date.now() - olderThanMs;
  for (const [call, startedAtMs] of pendingLogs) {
    if (startedAtMs > startedBeforeMs) return;
    abandonLoads(call);
    call.finish();
    pendingLogs.delete(call);
  }
}

/** Runs every collected instance; a failure is logged and does not stop the next. */
function runPicked(call: CallState, generation: Generation, kong: unknown, done: () => void): void {
  const fail = (error: unknown): void => {
    const { name, message, stack } = describeError(call, error);
    call.log('err', `${call.phase} failed: ${name}: ${message}\n${stack}`);
  };
  const runFrom = (first: number): void => {
    for (let at = first; at < call.picks.length; at++) {
      call.instance = generation.instances[call.picks[at] as number];
      const settled = invoke(call, kong, fail, () => runFrom(at + 1));
      if (!settled) return;
    }
    done();
  };
  runFrom(0);
}

/** True when the handler is done; otherwise `next` is called once its promise has settled. */
function invoke(call: CallState, kong: unknown, fail: (error: unknown) => void, next: () => void): boolean {
  const plugin = call.instance?.plugin;
  const handler = plugin?.[call.phase as keyof PluginDefinition] as Handler | undefined;
  if (plugin === undefined || handler === undefined) return true;
  const running = call.trace?.startPlugin(plugin.name);
  const timing = sample.isOn ? new Timing(plugin.name, call.phase as PhaseName) : undefined;
  try {
    const outcome = handler.call(plugin, kong, call.instance?.config);
    timing?.onReturn();
    if (outcome instanceof Promise) {
      const isWatched = running !== undefined || timing !== undefined;
      const settled = isWatched ? () => endRunning(running, timing, next) : next;
      outcome.then(settled, (error: unknown) => {
        fail(error);
        if (running !== undefined) running.error = messageOf(error);
        settled();
      });
      return false;
    }
  } catch (error) {
    timing?.onReturn();
    fail(error);
    if (running !== undefined) running.error = messageOf(error);
  }
  running?.end();
  return true;
}

function endRunning(running: RunningPlugin | undefined, timing: Timing | undefined, next: () => void): void {
  running?.end();
  timing?.onSettled();
  next();
}

export function openCall(
  id: number,
  phase: CallState['phase'],
  text: string,
): { call: CallState; generation: Generation } {
  const lineEnd = text.indexOf('\n');
  const generationEnd = text.indexOf(' ');
  const planEnd = text.indexOf(' ', generationEnd + 1);
  const generation = findGeneration(Number(text.slice(0, generationEnd)));
  const planNumber = Number(text.slice(generationEnd + 1, planEnd));
  const plan = generation.plans[planNumber];
  if (plan === undefined) throw new RangeError(`no plan ${planNumber}`);
  const facts = text.slice(planEnd + 1, lineEnd);
  const mark = facts.indexOf(TRACE_MARK);
  const call = new CallState(id, phase, plan, mark < 0 ? facts : facts.slice(0, mark), text, lineEnd + 1);
  call.upstreams = generation.upstreams;
  if (mark >= 0) call.trace = CallTrace.decode(facts.slice(mark + 1));
  // Log records have no number: nobody cancels them.
  if (id !== 0) activeCalls.put(id, call);
  call.start();
  return { call, generation };
}

export function closeCall(call: CallState): void {
  call.finish();
  activeCalls.delete(call.id);
  if (call.logLines !== undefined) emitFrame(GUEST_FRAMES.logLines, call.id, JSON.stringify(call.logLines));
}

/** What a plugin has left behind may refuse to become text: then that is the failure. */
function emitResult(call: CallState, failure: GuestError | undefined): void {
  let kind =
    failure !== undefined ? GUEST_FRAMES.error : call.hasExited ? GUEST_FRAMES.exit : GUEST_FRAMES.proceed;
  let result: string;
  try {
    result = encodeResult(call, failure);
  } catch (error) {
    call.shared = undefined;
    call.serializeValues = undefined;
    call.hasAuthenticated = false;
    kind = GUEST_FRAMES.error as typeof kind;
    result = encodeResult(call, failure ?? describeError(call, error));
  }
  closeCall(call);
  const report = call.trace?.report() ?? '';
  if (report !== '') emitFrame(GUEST_FRAMES.trace, call.id, report);
  emitFrame(kind, call.id, result);
}

/** Never throws, whatever was thrown. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'something that cannot be printed';
  }
}

/** Never throws, whatever was thrown. */
export function describeError(call: CallState, error: unknown): GuestError {
  const plugin = call.instance?.plugin.name ?? '';
  const described = { plugin, phase: call.phase, name: 'Error', message: '', stack: '' };
  try {
    if (!(error instanceof Error)) return { ...described, message: String(error) };
    return {
      ...described,
      name: String(error.name),
      message: String(error.message),
      stack: String(error.stack),
    };
  } catch {
    return { ...described, message: 'something that cannot be printed' };
  }
}
