/**
 * The router: rules in, a function from request to match out. It follows the `traditional` order of evaluation
 * (contract/proxy.md section 2.7) without scanning: candidates are found by host, then by path prefix.
 *
 * Rules fall into categories by the set of attributes they constrain. Categories are tried from most to fewest
 * attributes; within one, the candidate of lowest rank that accepts the request wins.
 */
import {
  ATTRIBUTE_BITS,
  attributesOf,
  type Candidate,
  compareCandidates,
  makeCandidates,
  toMatch,
} from './candidate.ts';
import { type HostPattern, listWildcardsOf, splitHost } from './host-pattern.ts';
import { addCandidate, createPathTree, findBest, type PathTree } from './path-tree.ts';
import type { RouteRule, Router, RouterRequest } from './route-rule.ts';

interface Category<Value> {
  /** Null when the category does not look at hosts. */
  readonly byHost: ReadonlyMap<string, PathTree<Value>> | null;
  /** The candidates of a category that does not look at hosts. */
  readonly anyHost: PathTree<Value>;
}

/** Which spellings of a request's host may be keys at all: the others need not be looked up. */
interface HostForms {
  readonly hasHosts: boolean;
  readonly hasPorts: boolean;
  readonly hasWildcards: boolean;
}

/** Told of a rule with a regex that cannot run (path-regex.ts). The rule is left out unless this throws. */
export type RefuseRule = (rule: RouteRule<unknown>, reason: unknown) => void;

function throwRefusal({ id }: RouteRule<unknown>, cause: unknown): never {
  throw new Error(`route ${id} cannot be compiled: ${String(cause)}`, { cause });
}

/**
 * Compiles all rules; without `refuse` it throws an Error that names the first one that cannot be. Matching never
 * throws; a path that is not well-formed text (normalize-path.ts) matches nothing.
 */
export function compileRouter<Value>(
  rules: readonly RouteRule<Value>[],
  refuse: RefuseRule = throwRefusal,
): Router<Value> {
  const byAttributes = Map.groupBy(rules, attributesOf);
  const attributeSets = [...byAttributes.keys()].sort((a, b) => countBits(b) - countBits(a) || b - a);
  const ordered = attributeSets.map((attributes) =>
    orderCandidates(byAttributes.get(attributes) ?? [], refuse),
  );
  const categories = ordered.map((candidates, index) =>
    compileCategory(candidates, ((attributeSets[index] ?? 0) & ATTRIBUTE_BITS.host) !== 0),
  );
  const forms = findHostForms(ordered.flat());

  return {
    match(request) {
      if (!request.path.isWellFormed()) return null;
      const hostKeys = forms.hasHosts ? listHostKeys(request, forms) : [];
      for (const category of categories) {
        const found = findInCategory(category, request, hostKeys);
        if (found !== null) return toMatch(found, request);
      }
      return null;
    },
  };
}

function countBits(bits: number): number {
  return bits.toString(2).replaceAll('0', '').length;
}

function orderCandidates<Value>(rules: readonly RouteRule<Value>[], refuse: RefuseRule): Candidate<Value>[] {
  const candidates: Candidate<Value>[] = [];
  for (const rule of rules) {
    try {
      candidates.push(...makeCandidates(rule));
    } catch (reason) {
      refuse(rule, reason);
    }
  }
  candidates.sort(compareCandidates);
  for (const [rank, candidate] of candidates.entries()) candidate.rank = rank;
  return candidates;
}

function compileCategory<Value>(
  ordered: readonly Candidate<Value>[],
  looksAtHosts: boolean,
): Category<Value> {
  const anyHost = createPathTree<Value>();
  const byHost = new Map<string, PathTree<Value>>();
  for (const candidate of ordered) {
    if (candidate.hosts === null) addCandidate(anyHost, candidate);
    for (const key of new Set(candidate.hosts?.map(keyOf))) {
      const tree = byHost.get(key) ?? createPathTree<Value>();
      byHost.set(key, tree);
      addCandidate(tree, candidate);
    }
  }
  return { byHost: looksAtHosts ? byHost : null, anyHost };
}

function keyOf({ name, port }: HostPattern): string {
  return port === undefined ? name : `${name}:${port}`;
}

function findHostForms(candidates: readonly Candidate<unknown>[]): HostForms {
  const hosts = candidates.flatMap(({ hosts }) => hosts ?? []);
  return {
    hasHosts: hosts.length > 0,
    hasPorts: hosts.some(({ port }) => port !== undefined),
    hasWildcards: hosts.some(({ isWildcard }) => isWildcard),
  };
}

/** Keys under which candidates for this host may be filed. */
function listHostKeys({ host, defaultPort }: RouterRequest, forms: HostForms): readonly string[] {
  if (host === undefined) return [];
  const { name, port = defaultPort } = splitHost(host);
  const names = forms.hasWildcards ? [name, ...listWildcardsOf(name)] : [name];
  return forms.hasPorts ? names.flatMap((form) => [form, `${form}:${port}`]) : names;
}

function findInCategory<Value>(
  { byHost, anyHost }: Category<Value>,
  request: RouterRequest,
  hostKeys: readonly string[],
): Candidate<Value> | null {
  if (byHost === null) return findBest(anyHost, request, null);
  let best: Candidate<Value> | null = null;
  for (const key of hostKeys) {
    const tree = byHost.get(key);
    if (tree !== undefined) best = findBest(tree, request, best);
  }
  return best;
}
