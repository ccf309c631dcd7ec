/**
 * The process of one package, behind one worker: it holds the package's isolate and nothing else. It has no environment,
 * opens no file once it runs, and ends when its worker does. Whatever its guests ask for the worker performs.
 */
import { Socket } from 'node:net';
import type { Invalidation } from '../../sdk/protocol/host-call.ts';
import type { LanePhase } from '../pipeline/phase-lane.ts';
import { IsolateLane } from '../sandbox/isolate-lane.ts';
import { BodiesOfWorker } from './bodies-of-worker.ts';
import { CallOfWorker, type CallSink } from './call-of-worker.ts';
import { ForwardedHostCalls } from './forwarded-host-calls.ts';
import { FrameStream } from './frame-stream.ts';
import {
  PROCESS_FRAMES,
  type ProcessBoot,
  type ProcessMeasurements,
  WIRE_FD,
  WORKER_FRAMES,
} from './wire.ts';

/** A terminal's Ctrl-C reaches the whole group; the worker decides when this ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const wire = new FrameStream(new Socket({ fd: WIRE_FD, readable: true, writable: true }), {
  onFrame: receive,
  onEnd: () => process.exit(0),
});
/** By the worker's number of a call, that of the lane. */
const calls = new Map<number, number>();
const sink: CallSink = {
  write: (kind, id, payload) => wire.write(kind, id, payload),
  forget: (id) => calls.delete(id),
};
let lane: IsolateLane | undefined;
let bodies: BodiesOfWorker | undefined;
let hostCalls: ForwardedHostCalls | undefined;

function receive(kind: string, id: number, payload: string): void {
  switch (kind) {
    case WORKER_FRAMES.boot:
      load(JSON.parse(payload) as ProcessBoot);
      break;
    case WORKER_FRAMES.configure:
      configure(id, payload);
      break;
    case WORKER_FRAMES.drop:
      lane?.dropGeneration(id);
      break;
    case WORKER_FRAMES.rewrite:
      begin('rewrite', id, payload);
      break;
    case WORKER_FRAMES.access:
      begin('access', id, payload);
      break;
    case WORKER_FRAMES.response:
      begin('response', id, payload);
      break;
    case WORKER_FRAMES.openBody:
      bodies?.open(id, payload);
      break;
    case WORKER_FRAMES.feedBody:
      bodies?.feed(id, payload);
      break;
    case WORKER_FRAMES.closeBody:
      bodies?.close(id);
      break;
    case WORKER_FRAMES.rest:
      lane?.rest(id === 1);
      break;
    case WORKER_FRAMES.drain:
      lane?.drain(Number(payload), () => {
        wire.write(PROCESS_FRAMES.drained, id, '');
        wire.flush();
      });
      break;
    case WORKER_FRAMES.log:
      lane?.submitLog(payload);
      break;
    case WORKER_FRAMES.cancel:
      lane?.cancel(calls.get(id) ?? 0);
      calls.delete(id);
      break;
    case WORKER_FRAMES.reply:
    case WORKER_FRAMES.failure:
      hostCalls?.settle(kind, payload);
      break;
    case WORKER_FRAMES.invalidate:
      lane?.invalidate(JSON.parse(payload) as Invalidation);
      break;
    case WORKER_FRAMES.measure:
      wire.write(PROCESS_FRAMES.measured, id, JSON.stringify(measure()));
      break;
    case WORKER_FRAMES.ping:
      wire.write(PROCESS_FRAMES.pong, id, '');
      break;
  }
}

function load({ bundle, limits }: ProcessBoot): void {
  try {
    lane = new IsolateLane(
      bundle,
      limits,
      {
        createHostCalls: (_, guest) => {
          hostCalls = new ForwardedHostCalls(guest, (id, text) =>
            wire.write(PROCESS_FRAMES.hostCall, id, text),
          );
          return hostCalls;
        },
      },
      {
        onLogLines: (lines) => wire.write(PROCESS_FRAMES.logLines, 0, JSON.stringify(lines)),
        onIncident: (reason, detail) => wire.write(PROCESS_FRAMES.incident, 0, `${reason}\n${detail}`),
        onCatastrophe: () => process.abort(),
      },
    );
    bodies = new BodiesOfWorker(lane, (kind, id, payload) => wire.write(kind, id, payload));
    wire.write(PROCESS_FRAMES.ready, 0, JSON.stringify(lane.manifest));
  } catch (error) {
    wire.write(PROCESS_FRAMES.unloadable, 0, messageOf(error));
  }
  wire.flush();
}

function configure(generation: number, json: string): void {
  let problem = '';
  try {
    lane?.take(generation, json);
  } catch (error) {
    problem = messageOf(error);
  }
  wire.write(PROCESS_FRAMES.configured, generation, problem);
}

function begin(phase: LanePhase, id: number, payload: string): void {
  if (lane !== undefined) calls.set(id, lane.submit(phase, payload, new CallOfWorker(id, sink)));
}

function measure(): ProcessMeasurements | undefined {
  const metrics = lane?.collectMetrics();
  return lane && { metrics, stats: lane.stats() };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
