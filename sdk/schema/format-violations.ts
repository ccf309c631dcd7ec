/** The one-line summary of an error tree: `schema violation (…)` or `n schema violations (…; …)`. */
import { ENTITY_MEMBER, type ErrorNode, type ErrorTree } from './error-tree.ts';
import { luaTable } from './lua-format.ts';

/**
 * Texts under `@entity` come first in the order of the checks, then the fields by name. A nested error counts
 * once per direct child; what lies deeper is printed as a Lua table. Source: contract/admin-api.md section 4.
 */
export function formatViolations(errors: ErrorTree): string {
  const violations = listViolations(errors);
  return violations.length === 1
    ? `schema violation (${violations[0]})`
    : `${violations.length} schema violations (${violations.join('; ')})`;
}

function listViolations(errors: ErrorTree): string[] {
  const fields = Object.keys(errors)
    .filter((name) => name !== ENTITY_MEMBER)
    .sort();
  return [
    ...childViolations(errors[ENTITY_MEMBER] ?? []).map(([, text]) => text),
    ...fields.flatMap((name) => fieldViolations(name, errors[name] ?? null)),
  ];
}

function fieldViolations(name: string, node: ErrorNode): string[] {
  if (node === null) return [];
  if (typeof node === 'string') return [`${name}: ${node}`];
  return childViolations(node).map(([child, text]) => `${name}.${child}: ${text}`);
}

/** Direct children by name or 1-based position, with their texts. */
function childViolations(node: ErrorNode): [string, string][] {
  if (node === null) return [];
  if (typeof node === 'string') return [['', node]];
  const children: [string, ErrorNode][] = Array.isArray(node)
    ? node.map((child: ErrorNode, index): [string, ErrorNode] => [String(index + 1), child])
    : Object.entries(node as ErrorTree).sort(([left], [right]) => (left < right ? -1 : 1));
  return children.flatMap(([name, child]): [string, string][] =>
    child === null ? [] : [[name, typeof child === 'string' ? child : luaTable(child)]],
  );
}
