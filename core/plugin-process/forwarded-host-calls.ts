/**
 * In the process of a package: what its guest asks for goes to the worker and comes back as replies. Numbers are our own
 * on the way, since a guest may give out one of its own twice.
 */
import { encodeFrame, HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { ActiveCall } from '../sandbox/active-call.ts';
import { MAX_HOST_CALLS_PER_PHASE } from '../sandbox/isolate-limits.ts';
import type { GuestSide, HostCallPerformer } from '../sandbox/lane-host.ts';
import { CallOfWorker } from './call-of-worker.ts';
import { encodeForwardedCall } from './wire.ts';

/** Under way at once, those that belong to no single request included. */
const MAX_PENDING = 10_000;

interface PendingCall {
  /** As the guest numbers it. */
  readonly number: string;
  readonly call: ActiveCall | undefined;
  readonly isolate: object | undefined;
}

export class ForwardedHostCalls implements HostCallPerformer {
  readonly #guest: GuestSide;
  readonly #send: (id: number, text: string) => void;
  readonly #pending = new Map<string, PendingCall>();
  #lastNumber = 0;

  /** `send`: to the worker, with its number of the call that asks, 0 for none. */
  constructor(guest: GuestSide, send: (id: number, text: string) => void) {
    this.#guest = guest;
    this.#send = send;
  }

  perform(payload: string, call: ActiveCall | undefined): void {
    const number = payload.slice(0, Math.max(payload.indexOf('\n'), 0));
    const isTooMany = call !== undefined && ++call.hostCalls > MAX_HOST_CALLS_PER_PHASE;
    if (isTooMany || this.#pending.size >= MAX_PENDING) {
      this.#deliver(HOST_FRAMES.failure, `${number}\ntoo many host calls`, call);
      return;
    }
    const ours = String(++this.#lastNumber);
    this.#pending.set(ours, { number, call, isolate: this.#guest.currentIsolate() });
    if (call !== undefined) call.waits++;
    const id = call?.listener instanceof CallOfWorker ? call.listener.id : 0;
    this.#send(id, encodeForwardedCall(call?.retries ?? 0, ours + payload.slice(number.length)));
  }

  /** The worker replies: `payload` begins with our number. */
  settle(kind: string, payload: string): void {
    const ours = payload.slice(0, payload.indexOf('\n'));
    const pending = this.#pending.get(ours);
    if (pending === undefined) return;
    this.#pending.delete(ours);
    const { number, call, isolate } = pending;
    // A rebuilt isolate has not asked for anything, and nobody in it waits.
    if (this.#guest.currentIsolate() !== isolate) return;
    if (call !== undefined) call.waits--;
    this.#deliver(kind, number + payload.slice(ours.length), call);
  }

  #deliver(kind: string, payload: string, call: ActiveCall | undefined): void {
    this.#guest.deliver({ text: encodeFrame(kind, 0, payload), call, isStart: false });
  }
}
