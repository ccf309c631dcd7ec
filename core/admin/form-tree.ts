/**
 * Turns the flat keys of a form into a tree: `a.b`, `a[]`, `a[1]`, `a[b.c]` and their mixtures
 * (contract/admin-api.md section 1.4). Values stay text; coercion by the schema comes later.
 */
import { AdminRefusal } from './admin-refusal.ts';

type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'index'; readonly position: number }
  | { readonly kind: 'append' };

interface FormNode {
  readonly values: (string | true)[];
  readonly members: Map<string, FormNode>;
  readonly indexed: Map<number, FormNode>;
  readonly appended: FormNode[];
}

const MAX_DEPTH = 128;
const BRACKETS = /\[([^\]]*)\]/y;

const createNode = (): FormNode => ({ values: [], members: new Map(), indexed: new Map(), appended: [] });

/** The members of the form. A key outside the grammar becomes a member of that very name. */
export function buildFormTree(
  pairs: Iterable<readonly [key: string, value: string | true]>,
): Record<string, unknown> {
  const root = createNode();
  for (const [key, value] of pairs) {
    let node = root;
    for (const step of parseKey(key)) node = descend(node, step);
    node.values.push(value);
  }
  return membersOf(root);
}

function parseKey(key: string): readonly Step[] {
  const steps = stepsOf(key) ?? [{ kind: 'member', name: key } as const];
  if (steps.length > MAX_DEPTH) throw new AdminRefusal(400, 'form fields are nested too deeply');
  return steps;
}

/** Undefined when the key does not follow the grammar, such as `a[b` or `a[b]c`. */
function stepsOf(key: string): Step[] | undefined {
  const steps: Step[] = [];
  let at = 0;
  do {
    const end = endOfName(key, at);
    if (end === 0) return undefined;
    steps.push({ kind: 'member', name: key.slice(at, end) });
    at = end;
    while (key[at] === '[') {
      BRACKETS.lastIndex = at;
      const match = BRACKETS.exec(key);
      if (match === null) return undefined;
      steps.push(bracketStep(match[1] ?? ''));
      at = BRACKETS.lastIndex;
    }
    if (at < key.length && key[at] !== '.') return undefined;
    at += 1;
  } while (at <= key.length);
  return steps;
}

function endOfName(key: string, from: number): number {
  let at = from;
  while (at < key.length && key[at] !== '.' && key[at] !== '[') at++;
  return at;
}

function bracketStep(content: string): Step {
  if (content === '') return { kind: 'append' };
  if (/^[1-9]\d{0,8}$/.test(content)) return { kind: 'index', position: Number(content) };
  return { kind: 'member', name: content };
}

function descend(node: FormNode, step: Step): FormNode {
  if (step.kind === 'append') {
    const child = createNode();
    node.appended.push(child);
    return child;
  }
  return step.kind === 'index' ? childOf(node.indexed, step.position) : childOf(node.members, step.name);
}

function childOf<Key>(children: Map<Key, FormNode>, key: Key): FormNode {
  let child = children.get(key);
  if (child === undefined) {
    child = createNode();
    children.set(key, child);
  }
  return child;
}

function nodeValue(node: FormNode): unknown {
  if (node.members.size > 0) return membersOf(node);
  const elements = elementsOf(node);
  return elements.length === node.values.length && elements.length === 1 ? elements[0] : elements;
}

/** Elements without a name keep their position as one, so that validation refuses them instead of losing them. */
function membersOf(node: FormNode): Record<string, unknown> {
  const entries: [string, unknown][] = elementsOf(node).map((value, index) => [String(index + 1), value]);
  for (const [name, child] of node.members) entries.push([name, nodeValue(child)]);
  return Object.fromEntries(entries);
}

/** Indices only give the order: `a[7]` alone is a list of one, whatever a client claims about positions. */
function elementsOf(node: FormNode): unknown[] {
  const indexed = [...node.indexed]
    .sort(([left], [right]) => left - right)
    .map(([, child]) => nodeValue(child));
  return [...node.values, ...indexed, ...node.appended.map(nodeValue)];
}
