/** Telling JSON objects from everything else, and reading and writing members along a path. */

export type PlainRecord = Readonly<Record<string, unknown>>;

export function isPlainRecord(value: unknown): value is PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`; undefined as soon as something on the way is not a record. */
export function readPath(record: PlainRecord, path: readonly string[]): unknown {
  let value: unknown = record;
  for (const member of path) {
    if (!isPlainRecord(value) || !Object.hasOwn(value, member)) return undefined;
    value = value[member];
  }
  return value;
}

/** A copy with the value at `path` replaced; records missing on the way are made. */
export function withPath(record: PlainRecord, path: readonly string[], value: unknown): PlainRecord {
  const [member, ...rest] = path;
  if (member === undefined) return record;
  const child = Object.hasOwn(record, member) ? record[member] : undefined;
  return withMember(
    record,
    member,
    rest.length === 0 ? value : withPath(isPlainRecord(child) ? child : {}, rest, value),
  );
}

/** A copy with one own member set, whatever its name: `__proto__` included. */
export function withMember(record: PlainRecord, member: string, value: unknown): PlainRecord {
  return Object.fromEntries([...Object.entries(record).filter(([name]) => name !== member), [member, value]]);
}

/** The own member, so that `constructor` and the like are never found by inheritance. */
export function ownMember<Value>(record: Readonly<Record<string, Value>>, member: string): Value | undefined {
  return Object.hasOwn(record, member) ? record[member] : undefined;
}

/** Equality of JSON values; the order of members does not matter. */
export function isSameValue(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSameValue(item, right[index]));
  }
  if (!isPlainRecord(left) || !isPlainRecord(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSameValue(left[name], right[name]))
  );
}
