/**
 * Finds the endpoint of a request path. Segments are compared undecoded, literal segments win over captures and
 * a trailing slash does not count (contract/admin-api.md section 1.3).
 */
import type { Endpoint } from './admin-exchange.ts';

interface PathNode {
  readonly literals: Map<string, PathNode>;
  capture: PathNode | undefined;
  endpoint: Endpoint | undefined;
}

export interface PathMatch {
  readonly endpoint: Endpoint;
  /** Captured segments as they came. */
  readonly captures: readonly string[];
}

export interface PathTable {
  find(path: string): PathMatch | undefined;
}

const createNode = (): PathNode => ({ literals: new Map(), capture: undefined, endpoint: undefined });

/** Throws when two endpoints have the same template up to the names of captures. */
export function createPathTable(endpoints: readonly Endpoint[]): PathTable {
  const root = createNode();
  for (const endpoint of endpoints) addEndpoint(root, endpoint);
  return {
    find(path) {
      const segments = splitPath(path);
      const captures: string[] = [];
      const endpoint = findEndpoint(root, segments, 0, captures);
      return endpoint === undefined ? undefined : { endpoint, captures };
    },
  };
}

/** `/` has no segments; one trailing slash is ignored. */
export function splitPath(path: string): string[] {
  const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
  return trimmed === '' ? [] : trimmed.slice(1).split('/');
}

function addEndpoint(root: PathNode, endpoint: Endpoint): void {
  let node = root;
  for (const segment of splitPath(endpoint.template)) node = childFor(node, segment);
  if (node.endpoint !== undefined) throw new Error(`two endpoints for ${endpoint.template}`);
  node.endpoint = endpoint;
}

function childFor(node: PathNode, segment: string): PathNode {
  if (segment.startsWith('{')) {
    node.capture ??= createNode();
    return node.capture;
  }
  let child = node.literals.get(segment);
  if (child === undefined) {
    child = createNode();
    node.literals.set(segment, child);
  }
  return child;
}

/** Goes back to the capture when the literal branch has no endpoint: `/plugins/enabled/route` is a plugin's. */
function findEndpoint(
  node: PathNode,
  segments: readonly string[],
  at: number,
  captures: string[],
): Endpoint | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.endpoint;
  const literal = node.literals.get(segment);
  const throughLiteral = literal && findEndpoint(literal, segments, at + 1, captures);
  if (throughLiteral !== undefined) return throughLiteral;
  if (node.capture === undefined || segment === '') return undefined;
  captures.push(segment);
  const throughCapture = findEndpoint(node.capture, segments, at + 1, captures);
  if (throughCapture === undefined) captures.pop();
  return throughCapture;
}
