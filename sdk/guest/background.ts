/** Handlers that run without a request: batches, timers and changes of configuration. */
import { decodePair } from '../protocol/background.ts';
import { GUEST_FRAMES } from '../protocol/frames.ts';
import type { GuestPlan } from '../protocol/plan.ts';
import { CallState } from './call-state.ts';
import type { LoadedInstance } from './configuration.ts';
import { BackgroundKongView, BatchKongView } from './kong.ts';
import { emitFrame } from './outbox.ts';
import { activeCalls, closeCall, describeError } from './run-phase.ts';

const NO_PLAN: GuestPlan = { steps: [], route: null, service: null };
/** Lines of a call that holds no request. */
const NO_REQUEST = '\n'.repeat(4);

/** Of the newest configuration. */
let current: readonly LoadedInstance[] = [];
/** By id: those and others of which there may be entries left. */
const kept = new Map<string, LoadedInstance>();
/** JSON of what `configure` was told last, by plugin. */
const told = new Map<string, string>();

export function noteInstances(instances: readonly LoadedInstance[]): void {
  current = instances.filter(({ hasProblem }) => !hasProblem);
  for (const instance of current) {
    if (instance.plugin.onBatch !== undefined) kept.set(instance.id, instance);
  }
}

export function forgetInstance(id: string): void {
  if (current.every((instance) => instance.id !== id)) kept.delete(id);
}

export function startBatch(id: number, payload: string): void {
  const [instanceId, entries] = decodePair(payload);
  const instance = kept.get(instanceId);
  const call = startCall(id, 'onBatch', instance);
  void run(call, async () => {
    if (instance?.plugin.onBatch === undefined) throw new Error('the instance is gone');
    await instance.plugin.onBatch(new BatchKongView(call), JSON.parse(entries) as unknown[], instance.config);
  });
}

export function startTimer(id: number, payload: string): void {
  const [plugin, position] = decodePair(payload);
  const instances = instancesOf(plugin);
  const timer = instances[0]?.plugin.timers?.[Number(position)];
  const call = startCall(id, 'timers', instances[0]);
  void run(call, async () => {
    await timer?.run(
      new BackgroundKongView(call),
      instances.map(({ config }) => config),
    );
  });
}

/** Tells the plugins whose configurations are others than they know. */
export function startConfigured(id: number): void {
  const call = startCall(id, 'configure', undefined);
  const due = [...new Set([...told.keys(), ...current.map(({ plugin }) => plugin.name)])];
  void run(call, async () => {
    await Promise.all(due.map((plugin) => tell(call, plugin)));
  });
}

const definitions = new Map<string, LoadedInstance>();

async function tell(call: CallState, plugin: string): Promise<void> {
  const instances = instancesOf(plugin);
  const configs = instances.map(({ config }) => config);
  const json = JSON.stringify(configs);
  const any = instances[0] ?? definitions.get(plugin);
  if (any?.plugin.configure === undefined || told.get(plugin) === json) return;
  definitions.set(plugin, any);
  told.set(plugin, json);
  call.instance = any;
  try {
    await any.plugin.configure(new BackgroundKongView(call), configs);
  } catch (error) {
    call.instance = any;
    const { name, message, stack } = describeError(call, error);
    call.log('err', `configure failed: ${name}: ${message}\n${stack}`);
  }
}

function instancesOf(plugin: string): readonly LoadedInstance[] {
  return current.filter((instance) => instance.plugin.name === plugin);
}

function startCall(id: number, phase: CallState['phase'], instance: LoadedInstance | undefined): CallState {
  const call = new CallState(id, phase, NO_PLAN, '', NO_REQUEST, 0);
  call.instance = instance;
  activeCalls.put(id, call);
  call.start();
  return call;
}

async function run(call: CallState, work: () => Promise<void>): Promise<void> {
  let kind: string = GUEST_FRAMES.stepDone;
  let payload = '';
  try {
    await work();
  } catch (error) {
    kind = GUEST_FRAMES.stepFailed;
    payload = JSON.stringify(describeError(call, error));
  }
  // It was cancelled meanwhile: the host listens no more, and its number may be somebody else's.
  if (call.isFinished) return;
  closeCall(call);
  emitFrame(kind, call.id, payload);
}
