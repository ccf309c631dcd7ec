/** Applies changes to named values: arguments of a query, fields of a body. */
import type { Changes } from './rules.ts';

/** Remove, rename, replace what is there, add what is not, append. True when anything has changed. */
export function changeFields(fields: Map<string, unknown>, changes: Changes): boolean {
  let isChanged = false;
  const put = (name: string, value: unknown) => {
    fields.set(name, value);
    isChanged = true;
  };
  for (const name of changes.remove) if (fields.delete(name)) isChanged = true;
  for (const { name, value: newName } of changes.rename) {
    if (!fields.has(name)) continue;
    const value = fields.get(name);
    fields.delete(name);
    put(newName, value);
  }
  for (const { name, value } of changes.replace) if (fields.has(name)) put(name, value);
  for (const { name, value } of changes.add) if (!fields.has(name)) put(name, value);
  for (const { name, value } of changes.append) put(name, appendTo(fields.get(name), value));
  return isChanged;
}

/** A list with one more in it. */
export function appendTo(earlier: unknown, value: unknown): readonly unknown[] {
  if (earlier === undefined) return [value];
  return Array.isArray(earlier) ? [...earlier, value] : [earlier, value];
}
