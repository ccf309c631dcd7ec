/**
 * What plugins want of headers, as operations: triples of `s` (set: replaces all values), `a` (add a value) or `r`
 * (remove), then name, then value. Turned here into what to take out and what to put in, with values made safe.
 */
import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../errors.ts';

/** Flat triples [op, name, value, …]; the value of `r` is ignored. */
export type HeaderOverrides = readonly string[];

export interface HeaderChanges {
  /** Lower-case names whose earlier values go. */
  readonly removed: readonly string[];
  /** Flat names and values to append, in order. */
  readonly added: readonly string[];
}

/** `isOwned` tells of a lower-case name that it is the gateway's: operations on it are passed over. */
export function resolveOverrides(
  overrides: HeaderOverrides,
  isOwned: (name: string) => boolean,
): HeaderChanges {
  const removed: string[] = [];
  const added: string[] = [];
  // Backwards, so that an operation is known to be undone by a later one when it is met.
  for (let at = overrides.length - 3; at >= 0; at -= 3) {
    const name = overrides[at + 1] as string;
    const lowered = lowerName(name);
    if (isOwned(lowered) || removed.includes(lowered)) continue;
    const operation = overrides[at];
    if (operation !== 'r') added.push(encodeHeaderValue(overrides[at + 2] as string), name);
    if (operation !== 'a') removed.push(lowered);
  }
  added.reverse();
  return { removed, added };
}

const NOBODYS = (): boolean => false;

/** Flat headers of a request, names in lower case, after the operations. */
export function applyToRequest(headers: readonly string[], overrides: HeaderOverrides): readonly string[] {
  const { removed, added } = resolveOverrides(overrides, NOBODYS);
  const result: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    if (!removed.includes(headers[at] as string))
      result.push(headers[at] as string, headers[at + 1] as string);
  }
  for (let at = 0; at < added.length; at += 2)
    result.push(lowerName(added[at] as string), added[at + 1] as string);
  return result;
}

const NOT_PLAIN = /[^\t\x20-\x7e]/;
const BEYOND_LATIN1 = /[^\x00-\xff]/;
const FORBIDDEN = /[\r\n\0]/;

/**
 * A value as latin1 code units, one per byte. Text that is not bytes already is sent as UTF-8; a value that reads as
 * UTF-8 bytes (a plugin copied it from another header) stays. Without this a letter such as U+010D would be cut to
 * its low byte, which is CR. Throws GatewayError GW_PLUGIN_FAILED on CR, LF and NUL.
 */
export function encodeHeaderValue(value: string): string {
  if (!NOT_PLAIN.test(value)) return value;
  if (FORBIDDEN.test(value))
    throw new GatewayError('GW_PLUGIN_FAILED', 'a header value has CR, LF or NUL in it');
  const isBytes = !BEYOND_LATIN1.test(value) && isUtf8(Buffer.from(value, 'latin1'));
  return isBytes ? value : Buffer.from(value, 'utf8').toString('latin1');
}

/** Plugins write the same few names over and over; full means no more are learned. */
const LOWERED_NAMES_LIMIT = 512;
const loweredNames = new Map<string, string>();

function lowerName(name: string): string {
  const known = loweredNames.get(name);
  if (known !== undefined) return known;
  const lowered = name.toLowerCase();
  if (loweredNames.size < LOWERED_NAMES_LIMIT) loweredNames.set(name, lowered);
  return lowered;
}
