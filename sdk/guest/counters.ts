/** `kong.counters`: one host call counts in every window at once. */
import type { CounterReader, CounterWindow } from '../counters.ts';
import { decodeUses, encodeTake } from '../protocol/host-call.ts';
import type { CallState } from './call-state.ts';
import { callHost } from './outbox.ts';

export class CountersView implements CounterReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  take(windows: readonly CounterWindow[], cost = 1): Promise<readonly number[]> {
    if (!Number.isInteger(cost) || cost < 0) throw new RangeError(`cost must be a whole number, not ${cost}`);
    return callHost('counters.take', encodeTake(windows, cost), this.#call).then(decodeUses);
  }
}
