/** Query strings and form bodies: `a=1&b&a=2`. Broken escapes stay as they are; nothing here throws. */
import type { ArgumentValue } from '../request.ts';

export type Argument = readonly [name: string, value: string | true];

/** At most `max` arguments in order. `true` stands for a name without `=`; empty names are dropped. */
export function parseArguments(text: string, max: number): Argument[] {
  const parsed: Argument[] = [];
  let at = 0;
  while (at <= text.length && parsed.length < max) {
    let end = text.indexOf('&', at);
    if (end < 0) end = text.length;
    const equals = text.indexOf('=', at);
    const hasValue = equals >= 0 && equals < end;
    const name = decodeComponent(text.slice(at, hasValue ? equals : end));
    if (name !== '') parsed.push([name, hasValue ? decodeComponent(text.slice(equals + 1, end)) : true]);
    at = end + 1;
  }
  return parsed;
}

/** Name → value, or every value of a repeated name. Has no prototype. */
export function collectArguments(parsed: readonly Argument[]): Record<string, ArgumentValue> {
  const collected: Record<string, ArgumentValue> = Object.create(null);
  for (const [name, value] of parsed) {
    const earlier = collected[name];
    if (earlier === undefined) collected[name] = value;
    else collected[name] = Array.isArray(earlier) ? [...earlier, value] : [earlier as string | true, value];
  }
  return collected;
}

export function formatArguments(parsed: readonly Argument[]): string {
  return parsed
    .map(([name, value]) =>
      value === true ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    )
    .join('&');
}

/** `%XX` and `+`, as UTF-8 where it is valid, byte by byte otherwise. */
export function decodeComponent(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Invalid UTF-8 or a broken escape: bytes as latin1, broken escapes as written.
    return spaced.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}
