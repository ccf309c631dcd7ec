/**
 * Guest → host: asynchronous operations. The guest writes them to its outbox and suspends; the host performs
 * them and re-enters with the reply. Arguments and replies are JSON.
 */

/** Name → argument and reply. The host refuses a name that is not here and arguments of another shape. */
export interface HostCalls {
  /** One row by a unique field, or null. Cached by the guest. */
  'entities.find': {
    argument: { readonly entity: string; readonly field: string; readonly value: string };
    reply: Readonly<Record<string, unknown>> | null;
  };
  /** Counts `cost` in every window unless one of them is full; see sdk/counters.ts. */
  'counters.take': {
    argument: { readonly cost: number; readonly windows: readonly WindowArgument[] };
    reply: readonly number[];
  };
  /** latin1 text of the client's body. */
  'request.body': { argument: Record<string, never>; reply: string };
}

/** [key, limit, time in ms since the epoch at which the counter disappears]. */
export type WindowArgument = readonly [key: string, limit: number, expiresAtMs: number];

export type HostCallName = keyof HostCalls;

/** Payload of a host call frame. `number` tells apart the host calls of one phase call. */
export interface HostCallMessage {
  readonly number: number;
  readonly name: string;
  readonly argument: unknown;
}

/** Rows a guest must not serve from its cache any longer. */
export interface Invalidation {
  readonly entity: string;
  readonly id: string;
  /** `field=value` of unique fields, before and after the change: positive and negative entries go. */
  readonly keys: readonly string[];
  /** Rows that refer to the changed one go too (a consumer's credentials). */
  readonly withReferences: boolean;
}
