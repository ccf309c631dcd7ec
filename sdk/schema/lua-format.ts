/** Values as messages show them: Lua-style braces on one line, or a Lua table over several lines. */
import { isPlainRecord, type PlainRecord } from './plain-record.ts';

/** `{k="v",k2={id="…"}}`: keys sorted, no spaces, null as `null` (contract/admin-api.md section 4). */
export function luaFormat(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return `"${value}"`;
  if (Array.isArray(value)) return `{${value.map(luaFormat).join(',')}}`;
  if (!isPlainRecord(value)) return String(value);
  const members = sortedMembers(value).map(([name, member]) => `${formatKey(name)}=${luaFormat(member)}`);
  return `{${members.join(',')}}`;
}

/** A table over several lines, two spaces deeper at each level; positions of a list that hold null are left out. */
export function luaTable(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quoteText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const lines = Array.isArray(value) ? listLines(value, depth) : recordLines(value as PlainRecord, depth);
  if (lines.length === 0) return '{}';
  const indent = '  '.repeat(depth + 1);
  return `{\n${lines.map((line) => indent + line).join(',\n')}\n${'  '.repeat(depth)}}`;
}

function listLines(list: readonly unknown[], depth: number): string[] {
  const firstHole = list.indexOf(null);
  return list.flatMap((item, index) => {
    if (item === null || item === undefined) return [];
    const text = luaTable(item, depth + 1);
    return [firstHole === -1 || index < firstHole ? text : `[${index + 1}] = ${text}`];
  });
}

function recordLines(record: PlainRecord, depth: number): string[] {
  return sortedMembers(record).map(([name, item]) => `${formatKey(name)} = ${luaTable(item, depth + 1)}`);
}

function sortedMembers(record: PlainRecord): [string, unknown][] {
  return Object.entries(record).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

function formatKey(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `["${name}"]`;
}

function quoteText(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
