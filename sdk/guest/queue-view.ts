/** `kong.queue`: entries are told to the host, which keeps them until there is a batch. */
import type { QueueWriter } from '../background.ts';
import { encodePair, MAX_ENTRY_BYTES } from '../protocol/background.ts';
import { GUEST_FRAMES } from '../protocol/frames.ts';
import type { CallState } from './call-state.ts';
import { emitFrame } from './outbox.ts';

export class QueueView implements QueueWriter {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  push(entry: unknown): void {
    const { instance } = this.#call;
    if (instance?.plugin.onBatch === undefined)
      throw new TypeError(`'${instance?.plugin.name}' has no onBatch that would take entries`);
    const json = JSON.stringify(entry) as string | undefined;
    if (json === undefined) throw new TypeError('an entry must be plain data');
    if (json.length > MAX_ENTRY_BYTES)
      throw new RangeError(`an entry is longer than ${MAX_ENTRY_BYTES} bytes`);
    this.#call.countEntry();
    emitFrame(GUEST_FRAMES.queue, this.#call.id, encodePair(instance.id, json));
  }
}
