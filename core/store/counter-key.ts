/** Where the counter of a window lies in the table `ratelimiting_metrics`. Contract/plugins.md sections 2.3 and 2.5. Pure. */

import { createHash } from 'node:crypto';

export interface CounterRow {
  readonly identifier: string;
  readonly period: string;
  /** Start of the window, in ms since the epoch. */
  readonly periodDateMs: number;
  readonly serviceId: string;
  readonly routeId: string;
}

/** A row of an index takes a third of a page at most. */
const MAX_INDEXED_BYTES = 2000;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** The identifier may hold colons; what stands before and behind it may not. */
const RATE_LIMIT_KEY = new RegExp(
  `^ratelimit:(${UUID}):(${UUID}):(.*):(0|[1-9]\\d{0,14}):([a-z]{1,16})$`,
  's',
);
/** Postgres keeps no NUL in text, and half a surrogate pair is no UTF-8. */
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Keys of rate-limiting are taken apart; those of other plugins are the identifier as a whole. */
export function counterRowOf(key: string): CounterRow {
  const [, routeId, serviceId, identifier, startMs, period] = RATE_LIMIT_KEY.exec(key) ?? [];
  if (routeId === undefined || serviceId === undefined || identifier === undefined || period === undefined) {
    return { identifier: storable(key), period: '', periodDateMs: 0, serviceId: NIL_UUID, routeId: NIL_UUID };
  }
  return { identifier: storable(identifier), period, periodDateMs: Number(startMs), serviceId, routeId };
}

/** Escaped as in JSON, so that two texts stay two; a digest of what would not fit into an index. */
function storable(text: string): string {
  const doubled = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text;
  const escaped = doubled.replace(
    UNSTORABLE,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (Buffer.byteLength(escaped) <= MAX_INDEXED_BYTES) return escaped;
  return `\\sha256:${createHash('sha256').update(escaped).digest('hex')}`;
}
