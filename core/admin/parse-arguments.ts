/** Query strings and urlencoded forms as an ordered list of arguments (contract/admin-api.md section 1.4). */
import { isUtf8 } from 'node:buffer';
import { AdminRefusal } from './admin-refusal.ts';
import { decodePercentBytes } from './percent-decoding.ts';

export interface Argument {
  readonly name: string;
  /** `true` for a bare name without `=`. */
  readonly value: string | true;
  readonly isUtf8: boolean;
}

export type Arguments = readonly Argument[];

const MAX_ARGUMENTS = 1000;

/** Splits and decodes. Arguments with an empty name are dropped. Refuses more than 1000 with 400. */
export function parseArguments(text: string): Arguments {
  const parts = text.split('&').filter((part) => part !== '');
  checkArgumentCount(parts.length);
  return parts.map(parseArgument).filter((argument) => argument.name !== '');
}

export function checkArgumentCount(count: number): void {
  if (count > MAX_ARGUMENTS) throw new AdminRefusal(400, 'Too many arguments');
}

function parseArgument(part: string): Argument {
  const equals = part.indexOf('=');
  const name = decodePercentBytes(equals === -1 ? part : part.slice(0, equals), true).toString('utf8');
  if (equals === -1) return { name, value: true, isUtf8: true };
  const bytes = decodePercentBytes(part.slice(equals + 1), true);
  return { name, value: bytes.toString('utf8'), isUtf8: isUtf8(bytes) };
}

/** The first argument of that name: repetitions do not count. */
export function firstArgument(query: Arguments, name: string): Argument | undefined {
  return query.find((argument) => argument.name === name);
}

/** The text of the first argument of that name; undefined when it is absent or bare. */
export function argumentText(query: Arguments, name: string): string | undefined {
  const value = firstArgument(query, name)?.value;
  return value === true ? undefined : value;
}
