/** Applies changes to headers: names are compared without case, and Host may only be replaced. */
import type { Changes } from './rules.ts';

/** By lower-case name: the name to send it under, and all its values in order; none where it goes. */
export type ChangedHeaders = ReadonlyMap<
  string,
  { readonly name: string; readonly values: readonly string[] }
>;

const HOST = 'host';

/** `headers`: lower-case name → every value. */
export function changeHeaders(
  headers: Readonly<Record<string, readonly string[]>>,
  changes: Changes,
): ChangedHeaders {
  const changed = new Map<string, { readonly name: string; readonly values: readonly string[] }>();
  const valuesOf = (name: string): readonly string[] => {
    const lower = name.toLowerCase();
    return changed.get(lower)?.values ?? (Object.hasOwn(headers, lower) ? (headers[lower] ?? []) : []);
  };
  const put = (name: string, values: readonly string[]) => changed.set(name.toLowerCase(), { name, values });
  const isHost = (name: string) => name.toLowerCase() === HOST;
  const has = (name: string) => !isHost(name) && valuesOf(name).length > 0;

  for (const name of changes.remove) if (has(name)) put(name, []);
  for (const { name, value: newName } of changes.rename) {
    if (!has(name) || isHost(newName)) continue;
    const values = valuesOf(name);
    put(name, []);
    put(newName, values);
  }
  for (const { name, value } of changes.replace) if (isHost(name) || has(name)) put(name, [value]);
  for (const { name, value } of changes.add) if (!isHost(name) && !has(name)) put(name, [value]);
  for (const { name, value } of changes.append) if (!isHost(name)) put(name, [...valuesOf(name), value]);
  return changed;
}
