/**
 * Candidates by path prefix: a radix tree, so that a lookup costs the length of the path and not the number of
 * routes. Candidates without a path stand at the root.
 */
import { acceptsRequest, type Candidate } from './candidate.ts';
import type { RouterRequest } from './route-rule.ts';

export interface PathTree<Value> {
  /** What this node adds to the prefix of its parent. */
  label: string;
  /** By ascending rank. */
  candidates: Candidate<Value>[];
  /** By first code unit of their labels. */
  children: Map<number, PathTree<Value>> | null;
}

export function createPathTree<Value>(label = ''): PathTree<Value> {
  return { label, candidates: [], children: null };
}

/** Candidates must come in order of rank. */
export function addCandidate<Value>(tree: PathTree<Value>, candidate: Candidate<Value>): void {
  findOrAddNode(tree, candidate.pathPrefix).candidates.push(candidate);
}

function findOrAddNode<Value>(root: PathTree<Value>, prefix: string): PathTree<Value> {
  let node = root;
  let at = 0;
  while (at < prefix.length) {
    node.children ??= new Map();
    const first = prefix.charCodeAt(at);
    let child = node.children.get(first);
    if (child === undefined) {
      child = createPathTree(prefix.slice(at));
      node.children.set(first, child);
      return child;
    }
    const shared = countShared(child.label, prefix, at);
    if (shared < child.label.length) {
      child = splitNode(child, shared);
      node.children.set(first, child);
    }
    at += shared;
    node = child;
  }
  return node;
}

function countShared(label: string, prefix: string, start: number): number {
  let count = 1;
  while (count < label.length && label.charCodeAt(count) === prefix.charCodeAt(start + count)) count++;
  return count;
}

/** The new parent of `node`, which keeps only what follows the first `length` code units of its label. */
function splitNode<Value>(node: PathTree<Value>, length: number): PathTree<Value> {
  const parent = createPathTree<Value>(node.label.slice(0, length));
  node.label = node.label.slice(length);
  parent.children = new Map([[node.label.charCodeAt(0), node]]);
  return parent;
}

/** The candidate of lowest rank that accepts the request, `best` (from another tree) included. */
export function findBest<Value>(
  tree: PathTree<Value>,
  request: RouterRequest,
  best: Candidate<Value> | null,
): Candidate<Value> | null {
  const { path } = request;
  let node = tree;
  let at = 0;
  let found = pickFirst(node.candidates, request, best);
  while (at < path.length) {
    const child = node.children?.get(path.charCodeAt(at));
    if (child === undefined || !path.startsWith(child.label, at)) break;
    at += child.label.length;
    node = child;
    found = pickFirst(node.candidates, request, found);
  }
  return found;
}

function pickFirst<Value>(
  candidates: readonly Candidate<Value>[],
  request: RouterRequest,
  best: Candidate<Value> | null,
): Candidate<Value> | null {
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as Candidate<Value>;
    if (best !== null && candidate.rank >= best.rank) return best;
    if (acceptsRequest(candidate, request)) return candidate;
  }
  return best;
}
