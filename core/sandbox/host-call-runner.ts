/** Performs what the calls of one guest ask the host for, within limits, and hands the replies on as frames. */
import { encodeFrame, HOST_FRAMES } from '../../sdk/protocol/frames.ts';
import { decodeValue, encodeValue } from '../../sdk/protocol/host-call.ts';
import type { ActiveCall } from './active-call.ts';
import { type HostServices, type PermittedCalls, performHostCall } from './host-calls.ts';
import { MAX_HOST_CALLS_PER_PHASE } from './isolate-limits.ts';
import type { GuestSide, HostCallPerformer } from './lane-host.ts';

/** Lookups of rows under way at once. They belong to no single request, whose own limit would hold them. */
const MAX_SHARED_HOST_CALLS = 10_000;

export interface HostCallSurroundings extends GuestSide {
  readonly services: HostServices;
  readonly permitted: PermittedCalls;
}

export class HostCallRunner implements HostCallPerformer {
  readonly #surroundings: HostCallSurroundings;
  #sharedCalls = 0;

  constructor(surroundings: HostCallSurroundings) {
    this.#surroundings = surroundings;
  }

  perform(payload: string, call: ActiveCall | undefined): void {
    const [number = '', name = ''] = payload.split('\n', 2);
    try {
      this.#count(call);
      const argument = decodeValue(payload.slice(number.length + name.length + 2));
      const { services, permitted, maxBodyBytes } = this.#surroundings;
      const listener = call?.listener;
      const caller = listener !== undefined && 'readBody' in listener ? listener : undefined;
      const context = { services, caller, permitted, memory: call, maxBodyBytes };
      const reply = performHostCall(name, argument, context);
      if (reply instanceof Promise) this.#replyLater(reply, number, call);
      else this.#reply(number, reply, call);
    } catch (error) {
      this.#refuse(number, error, call);
    }
  }

  #count(call: ActiveCall | undefined): void {
    const isTooMany =
      call === undefined
        ? this.#sharedCalls >= MAX_SHARED_HOST_CALLS
        : ++call.hostCalls > MAX_HOST_CALLS_PER_PHASE;
    if (isTooMany) throw new Error('too many host calls');
  }

  #replyLater(reply: Promise<unknown>, number: string, call: ActiveCall | undefined): void {
    if (call !== undefined) call.waits++;
    else this.#sharedCalls++;
    const isolate = this.#surroundings.currentIsolate();
    const settle = (deliver: () => void) => {
      if (call === undefined) this.#sharedCalls--;
      // A rebuilt isolate has not asked for anything, and nobody in it waits.
      if (this.#surroundings.currentIsolate() !== isolate) return;
      if (call !== undefined) call.waits--;
      deliver();
    };
    reply.then(
      (value) => settle(() => this.#reply(number, value, call)),
      (error: unknown) => settle(() => this.#refuse(number, error, call)),
    );
  }

  #reply(number: string, value: unknown, call: ActiveCall | undefined): void {
    this.#deliver(HOST_FRAMES.reply, number + '\n' + encodeValue(value), call);
  }

  #refuse(number: string, error: unknown, call: ActiveCall | undefined): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#deliver(HOST_FRAMES.failure, number + '\n' + message, call);
  }

  #deliver(kind: string, payload: string, call: ActiveCall | undefined): void {
    this.#surroundings.deliver({ text: encodeFrame(kind, 0, payload), call, isStart: false });
  }
}
