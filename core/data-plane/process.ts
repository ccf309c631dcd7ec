/**
 * The data-plane process: keeps worker threads alive and passes messages between them and the control process. It
 * has no traffic of its own. When the control process goes away it drains and ends, so none is ever left behind.
 */
import { Worker } from 'node:worker_threads';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { applyDelta } from '../config/snapshot-delta.ts';
import { readHealthOrder, UpstreamKeeper } from '../health/upstream-keeper.ts';
import { prepareNativeBinding } from '../http/native-binding.ts';
import { logUncaught } from '../telemetry/log-uncaught.ts';
import { createLogger } from '../telemetry/logger.ts';
import { logHealthChange } from './log-health-change.ts';
import { createNameLookUp } from './look-up-names.ts';
import type {
  Boot,
  Command,
  ControlMessage,
  DataPlaneMessage,
  WorkerAnswer,
  WorkerCommand,
  WorkerMessage,
  WorkerStart,
} from './messages.ts';

const WORKER_MODULE = new URL('./worker.ts', import.meta.url);
/** A worker that ends within this time of starting is started again only after a pause. */
const QUICK_DEATH_MS = 1000;
const LOOK_MS = 1000;
/** Beside the longest call of a plugin: no change of the configuration takes so long to be worked out. */
const MAX_SILENCE_MS = 20_000;

interface Slot {
  readonly thread: Worker;
  readonly startedAtMs: number;
  /** When it was last known to run its event loop. */
  heardAtMs: number;
  packages: readonly PackageManifest[] | undefined;
}

interface PendingCommand {
  readonly awaited: Set<number>;
  readonly answers: WorkerAnswer[];
}

const slots = new Map<number, Slot>();
const pending = new Map<number, PendingCommand>();
const logger = createLogger('error', 'data-plane');
let boot: Boot | undefined;
let keeper: UpstreamKeeper | undefined;
let isReady = false;
let isDraining = false;

logUncaught(logger);
process.on('message', (message) => receiveFromControl(message as ControlMessage));
process.on('disconnect', drain);
// A terminal's Ctrl-C reaches the whole group; the control process decides what to do about it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

function receiveFromControl(message: ControlMessage): void {
  switch (message.kind) {
    case 'boot':
      startAll(message.boot);
      break;
    case 'found':
    case 'listed':
    case 'find-failed':
    case 'counted':
    case 'count-failed':
      slots.get(message.worker)?.thread.postMessage(message);
      break;
    case 'drain':
      drain();
      break;
    case 'snapshot':
      // A worker that starts later starts with it.
      if (boot !== undefined) boot = { ...boot, snapshot: message.snapshot };
      keeper?.configure(message.snapshot);
      broadcast(message);
      break;
    case 'update':
      if (boot !== undefined) {
        boot = { ...boot, snapshot: applyDelta(boot.snapshot, message.update.delta) };
        keeper?.configure(boot.snapshot);
        for (const event of message.update.events) {
          const order = readHealthOrder(event);
          if (order !== undefined) keeper?.setHealth(order);
        }
      }
      broadcast(message);
      break;
    case 'packages':
      if (boot !== undefined) boot = { ...boot, packages: message.packages };
      broadcast(message);
      break;
    case 'describe-health':
      answerHealth(message.number, message.upstreamId);
      break;
    default:
      broadcast(message);
  }
}

function answerHealth(number: number, upstreamId: string | undefined): void {
  send({ kind: 'done', number, answers: [{ upstreams: keeper?.describeHealth(upstreamId) ?? [] }] });
}

/** Before any worker starts, and before any is told of a change: they are to know addresses as early as names. */
function createKeeper({ settings, snapshot }: Boot): UpstreamKeeper {
  const log = createLogger(settings.logLevel, 'data-plane');
  const made = new UpstreamKeeper(createNameLookUp(settings), {
    onAddresses: (addresses) => {
      for (const { thread } of slots.values()) {
        thread.postMessage({ kind: 'addresses', upstreams: [addresses] } satisfies WorkerCommand);
      }
    },
    onHealth: (change) => logHealthChange(log, change),
  });
  made.configure(snapshot);
  return made;
}

function startAll(given: Boot): void {
  boot = given;
  try {
    prepareNativeBinding();
  } catch (error) {
    send({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    return;
  }
  keeper = createKeeper(given);
  for (let index = 0; index < given.settings.workers; index++) startWorker(index);
  watchWorkers(given.settings);
}

function broadcast(command: Command & { readonly number: number }): void {
  const awaited = new Set(slots.keys());
  pending.set(command.number, { awaited, answers: [] });
  for (const { thread } of slots.values()) thread.postMessage(command);
  settle(command.number);
}

function startWorker(index: number): void {
  if (boot === undefined) return;
  const workerData: WorkerStart = { boot, index, addresses: keeper?.listAddresses() ?? [] };
  const thread = new Worker(WORKER_MODULE, { workerData });
  const startedAtMs = Date.now();
  slots.set(index, { thread, startedAtMs, heardAtMs: startedAtMs, packages: undefined });
  thread.on('message', (message: WorkerMessage) => receiveFromWorker(index, message));
  thread.on('error', (error) => {
    logger.error({ worker: index, err: error }, 'a worker ended');
    giveUpStart(error.message);
  });
  thread.on('exit', () => replaceWorker(index));
}

function receiveFromWorker(index: number, message: WorkerMessage): void {
  switch (message.kind) {
    case 'ready':
      announceReady(index, message.packages);
      break;
    case 'alive': {
      const slot = slots.get(index);
      if (slot !== undefined) slot.heardAtMs = Date.now();
      break;
    }
    case 'done':
      noteAnswer(index, message.number, message.answer);
      break;
    case 'failed':
      logger.error({ worker: index, reason: message.reason }, 'a worker cannot start');
      giveUpStart(message.reason);
      // Where others serve already it is tried again.
      void slots.get(index)?.thread.terminate();
      break;
    case 'catastrophe':
      logger.fatal({ worker: index, reason: message.reason }, 'the data plane ends');
      process.exit(1);
      break;
    default:
      send(message);
  }
}

function announceReady(index: number, packages: readonly PackageManifest[]): void {
  const slot = slots.get(index);
  if (slot !== undefined) slot.packages = packages;
  if (isReady || [...slots.values()].some((other) => other.packages === undefined)) return;
  isReady = true;
  send({ kind: 'ready', packages });
}

/** As long as the process has never served, one worker that cannot start is a reason for the operator. */
function giveUpStart(reason: string): void {
  if (!isReady) send({ kind: 'failed', reason });
}

function replaceWorker(index: number): void {
  const quick = Date.now() - (slots.get(index)?.startedAtMs ?? 0) < QUICK_DEATH_MS;
  slots.delete(index);
  for (const [number, { awaited }] of pending) {
    awaited.delete(index);
    settle(number);
  }
  if (isDraining) {
    if (slots.size === 0) process.exit(0);
    return;
  }
  setTimeout(() => !isDraining && startWorker(index), quick ? QUICK_DEATH_MS : 0);
}

function noteAnswer(index: number, number: number, answer: WorkerAnswer): void {
  const command = pending.get(number);
  if (command === undefined || !command.awaited.delete(index)) return;
  command.answers.push(answer);
  settle(number);
}

function settle(number: number): void {
  const command = pending.get(number);
  if (command === undefined || command.awaited.size > 0) return;
  pending.delete(number);
  send({ kind: 'done', number, answers: command.answers });
}

function drain(): void {
  if (isDraining) return;
  isDraining = true;
  keeper?.stop();
  if (slots.size === 0) process.exit(0);
  for (const { thread } of slots.values()) thread.postMessage({ kind: 'drain' } satisfies Command);
  const graceMs = (boot?.settings.shutdownTimeoutSeconds ?? 0) * 1000 + 1000;
  setTimeout(endAtOnce, graceMs).unref();
}

/** A worker that V8 does not let go would keep `process.exit` waiting for ever. */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** A worker that hangs serves nobody and cannot be ended alone: the process is, and started again without its guest. */
function watchWorkers({ pluginTimeoutMs }: Boot['settings']): void {
  const maxSilenceMs = MAX_SILENCE_MS + pluginTimeoutMs;
  let lookedAtMs = Date.now();
  setInterval(() => {
    const nowMs = Date.now();
    // Where this thread was kept from running, the others may have been too.
    const wasHeldUp = nowMs - lookedAtMs > 3 * LOOK_MS;
    lookedAtMs = nowMs;
    for (const [worker, slot] of slots) {
      if (wasHeldUp) slot.heardAtMs = nowMs;
      if (nowMs - slot.heardAtMs < maxSilenceMs) continue;
      logger.fatal({ worker, silent_ms: nowMs - slot.heardAtMs }, 'a worker hangs; the data plane ends');
      endAtOnce();
    }
  }, LOOK_MS).unref();
}

function send(message: DataPlaneMessage): void {
  if (process.connected) process.send?.(message);
}
