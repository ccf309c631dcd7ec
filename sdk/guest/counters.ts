/** `kong.counters`: one host call counts in every window at once. */
import type { CounterReader, CounterStore, CounterWindow, TakeOptions } from '../counters.ts';
import { encodeCounterStore } from '../protocol/counter-store.ts';
import { decodeUses, encodeTake, encodeTakeShared } from '../protocol/host-call.ts';
import type { CallState } from './call-state.ts';
import { callHost } from './outbox.ts';

export class CountersView implements CounterReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  take(windows: readonly CounterWindow[], options?: TakeOptions): Promise<readonly number[]> {
    // Nearly every request counts one in the node: nothing but its text is made for it.
    if (options === undefined) return this.#takeLocal(windows, 1);
    const { cost = 1, store = 'local' } = options;
    if (!Number.isInteger(cost) || cost < 0) throw new RangeError(`cost must be a whole number, not ${cost}`);
    if (store === 'local') return this.#takeLocal(windows, cost);
    const argument = encodeTakeShared(textOf(store), windows, cost);
    return callHost('counters.takeShared', argument, this.#call).then(decodeUses);
  }

  #takeLocal(windows: readonly CounterWindow[], cost: number): Promise<readonly number[]> {
    return callHost('counters.take', encodeTake(windows, cost), this.#call).then(decodeUses);
  }
}

const knownTexts = new WeakMap<object, string>();

function textOf(store: Exclude<CounterStore, 'local'>): string {
  let text = knownTexts.get(store);
  if (text === undefined) {
    text = encodeCounterStore(store);
    knownTexts.set(store, text);
  }
  return text;
}
