/**
 * What is said in the midst of a crossing: what the guest asks for is performed and replied to at once, entries of queues are
 * taken in, and the rest is kept for when the crossing is over.
 */
import { decodeFrames, GUEST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { SlotTable } from '../../sdk/protocol/slot-table.ts';
import type { ActiveCall } from './active-call.ts';
import type { GuestReports } from './guest-reports.ts';
import { joinFrames, type QueuedFrame } from './queued-frame.ts';

/** Entries of queues that one crossing may bring: a runtime of ours keeps far below. */
const MAX_ENTRIES_PER_CROSSING = 100_000;

export interface ConversationParts {
  /** What a guest may say at once, in bytes. */
  readonly maxTextBytes: number;
  readonly calls: SlotTable<ActiveCall>;
  readonly reports: GuestReports;
  performHostCall(payload: string, call: ActiveCall | undefined): void;
  /** Throws RangeError on an entry that a runtime of ours would not have sent. */
  takeEntry(payload: string): void;
  /** There is no crossing under way that could take it along. */
  enqueue(reply: QueuedFrame): void;
}

export class Conversation {
  readonly #parts: ConversationParts;
  /** What the guest has been given in the crossing under way; undefined between crossings. */
  #given: QueuedFrame[] | undefined;
  /** Of the crossing under way. */
  #entries = 0;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  /** A crossing begins with these frames; replies are added to them. */
  begin(given: QueuedFrame[]): void {
    this.#given = given;
    this.#entries = 0;
  }

  /** It is over: what was kept is acted upon. */
  end(): void {
    this.#given = undefined;
    this.#parts.reports.deliver();
  }

  /** The guest speaks; what is returned it hears at once. Never throws. */
  hear(text: string): string {
    const { maxTextBytes, reports } = this.#parts;
    const before = this.#given?.length ?? 0;
    // V8 may hold far larger texts than the limit of its heap before it looks; the worker shall not hold them too.
    if (text.length > maxTextBytes) {
      reports.noteTampering('the guest said more than its memory holds');
      return '';
    }
    try {
      decodeFrames(text, 0, this.#hearFrame);
    } catch (error) {
      reports.noteTampering(String(error));
    }
    return this.#given === undefined ? '' : joinFrames(this.#given.slice(before));
  }

  /** Replies found during a crossing are part of it. */
  reply(frame: QueuedFrame): void {
    if (this.#given !== undefined) this.#given.push(frame);
    else this.#parts.enqueue(frame);
  }

  readonly #hearFrame = (kind: string, id: number, payload: string): void => {
    const { calls, reports } = this.#parts;
    if (kind === GUEST_FRAMES.queue) {
      if (++this.#entries > MAX_ENTRIES_PER_CROSSING) throw new RangeError('too many entries');
      this.#parts.takeEntry(payload);
      return;
    }
    if (kind !== GUEST_FRAMES.hostCall) {
      reports.add(kind, id, payload);
      return;
    }
    const call = calls.get(id);
    // Calls of requests that are gone would keep the guest waiting for nobody.
    if (id === 0 || call !== undefined) this.#parts.performHostCall(payload, call);
  };
}
