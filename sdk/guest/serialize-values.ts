/**
 * What `kong.log.setSerializeValue` has been given. It travels with the shared values, under a name that no plugin
 * sees.
 */
import type { SerializeValueOptions } from '../log.ts';

export interface SerializeValue {
  readonly key: string;
  readonly value: unknown;
  readonly mode: NonNullable<SerializeValueOptions['mode']>;
}

export const SERIALIZE_MEMBER = '\0serialize';

const MODES: readonly unknown[] = ['set', 'add', 'replace'];
export const MAX_SERIALIZE_VALUES = 100;
const MAX_KEY_LENGTH = 256;

/** Throws TypeError. The value is copied: what becomes of the plugin's own is nobody's business. */
export function checkSerializeValue(key: string, value: unknown, mode: unknown): SerializeValue {
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_LENGTH)
    throw new TypeError(`a key is a text of up to ${MAX_KEY_LENGTH} characters`);
  if (!MODES.includes(mode)) throw new TypeError(`mode must be set, add or replace, not '${String(mode)}'`);
  const json = JSON.stringify(value ?? null) as string | undefined;
  if (json === undefined) throw new TypeError(`the value of '${key}' is no plain data`);
  return { key, value: JSON.parse(json), mode: mode as SerializeValue['mode'] };
}

/** A null takes away what is there. Names of members are never inherited ones. */
export function applySerializeValues(
  record: Record<string, unknown>,
  values: readonly SerializeValue[],
): void {
  for (const { key, value, mode } of values) {
    const path = key.split('.');
    const last = path.pop() as string;
    const parent = findParent(record, path, mode !== 'replace');
    if (parent === undefined) continue;
    const isThere = Object.hasOwn(parent, last) && parent[last] !== null && parent[last] !== undefined;
    if ((mode === 'add' && isThere) || (mode === 'replace' && !isThere)) continue;
    if (value === null) delete parent[last];
    else define(parent, last, value);
  }
}

/** Objects on the way are made where there are none; undefined where something else is in the way. */
function findParent(
  record: Record<string, unknown>,
  path: readonly string[],
  makes: boolean,
): Record<string, unknown> | undefined {
  let parent = record;
  for (const name of path) {
    let child = Object.hasOwn(parent, name) ? parent[name] : undefined;
    if (child === undefined && makes) {
      child = {};
      define(parent, name, child);
    }
    if (typeof child !== 'object' || child === null) return undefined;
    parent = child as Record<string, unknown>;
  }
  return parent;
}

/** `__proto__` is a name like any other. */
function define(parent: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
}
