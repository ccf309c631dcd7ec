/**
 * Guest → host: asynchronous operations. The guest writes them to its outbox and suspends; the host performs
 * them and re-enters with the reply. Arguments and replies are text, or JSON where they are not text already.
 */

import type { DigestArgument, VerifyArgument } from './crypto.ts';
import type { FetchArgument, FetchReply } from './fetch.ts';

/** Name → argument and reply. The host refuses a name that is not here and arguments of another shape. */
export interface HostCalls {
  /** One row by a unique field, or null. Cached by the guest. */
  'entities.find': {
    argument: { readonly entity: string; readonly field: string; readonly value: string };
    reply: Readonly<Record<string, unknown>> | null;
  };
  /** All rows whose reference `field` is to the row with this id. Cached by the guest. */
  'entities.list': {
    argument: { readonly entity: string; readonly field: string; readonly id: string };
    reply: readonly Readonly<Record<string, unknown>>[];
  };
  /** See sdk/crypto.ts. */
  'crypto.digest': { argument: DigestArgument; reply: string };
  'crypto.verify': { argument: VerifyArgument; reply: boolean };
  /** Counts `cost` in every window unless one of them is full; see sdk/counters.ts. */
  'counters.take': {
    /** `encodeTake`; the reply is for `decodeUses`: text is cheaper than JSON for what nearly every request does. */
    argument: string;
    reply: string;
  };
  /** The same in a store that other nodes share. */
  'counters.takeShared': {
    /** `encodeTakeShared`; the reply is for `decodeUses`. */
    argument: string;
    reply: string;
  };
  /** Hands the spans of a request that has ended to an exporter. Nobody waits for the reply. */
  'traces.export': {
    /** `encodeTraceExport` of trace.ts. */
    argument: string;
    reply: null;
  };
  /** See sdk/fetch.ts. */
  fetch: { argument: FetchArgument; reply: FetchReply };
  /** latin1 text of the client's body. */
  'request.body': { argument: Record<string, never>; reply: string };
}

export interface WindowArgument {
  readonly key: string;
  readonly limit: number;
  /** When the counter disappears, in ms since the epoch. */
  readonly expiresAtMs: number;
}

/** Throws TypeError on a key that holds a line feed. */
export function encodeTake(windows: readonly WindowArgument[], cost: number): string {
  let text = String(cost);
  for (const { key, limit, expiresAtMs } of windows) {
    if (key.includes('\n')) throw new TypeError('a key cannot contain a line feed');
    text += `\n${key}\n${limit}\n${expiresAtMs}`;
  }
  return text;
}

/** Numbers are checked by whoever uses them: a guest may write anything. */
export function decodeTake(text: string): {
  readonly cost: number;
  readonly windows: readonly WindowArgument[];
} {
  const lines = text.split('\n');
  const windows: WindowArgument[] = [];
  for (let at = 1; at + 2 < lines.length; at += 3) {
    windows.push({
      key: lines[at] as string,
      limit: Number(lines[at + 1]),
      expiresAtMs: Number(lines[at + 2]),
    });
  }
  return { cost: Number(lines[0]), windows };
}

/** `store` is what `encodeCounterStore` has written: one line. */
export function encodeTakeShared(store: string, windows: readonly WindowArgument[], cost: number): string {
  return `${store}\n${encodeTake(windows, cost)}`;
}

/** `store` is for `decodeCounterStore`; the rest is checked by whoever uses it. */
export function decodeTakeShared(text: string): {
  readonly store: string;
  readonly cost: number;
  readonly windows: readonly WindowArgument[];
} {
  const lineEnd = text.indexOf('\n');
  return { store: text.slice(0, Math.max(lineEnd, 0)), ...decodeTake(text.slice(lineEnd + 1)) };
}

export function decodeUses(text: string): readonly number[] {
  return text.split(',').map(Number);
}

export type HostCallName = keyof HostCalls;

/** Payload of a host call frame: number, name and argument. The number tells apart a guest's host calls. */
export function encodeHostCall(number: number, name: string, argument: unknown): string {
  return `${number}\n${name}\n${encodeValue(argument)}`;
}

/** Text goes as it is behind a `t`, everything else as JSON behind a `j`. */
export function encodeValue(value: unknown): string {
  return typeof value === 'string' ? `t${value}` : `j${JSON.stringify(value ?? null)}`;
}

/** Throws SyntaxError on what `encodeValue` has not written. */
export function decodeValue(text: string): unknown {
  return text.startsWith('t') ? text.slice(1) : (JSON.parse(text.slice(1)) as unknown);
}

/** Rows a guest must not serve from its cache any longer. */
export interface Invalidation {
  readonly entity: string;
  readonly id: string;
  /**
   * `field=value` of unique fields and `field_id=id` of references that rows are listed by, before and after the
   * change: positive and negative entries go.
   */
  readonly keys: readonly string[];
  /** Rows that refer to the changed one go too (a consumer's credentials). */
  readonly withReferences: boolean;
  /** All rows of all entities go, whatever the other members say. */
  readonly everything?: boolean;
}
