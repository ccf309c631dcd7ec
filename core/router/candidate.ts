/**
 * A route takes part in matching once per path entry, and each such candidate has a fixed place in the order of
 * evaluation. This file makes the candidates, ranks them, and checks what no index covers.
 * Source: contract/proxy.md section 2.7, `traditional`.
 */
import { compileHeaderConditions, type HeaderCondition, meetsHeaderConditions } from './header-condition.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { compilePathRegex, type PathRegex } from './path-regex.ts';
import type { RouteMatch, RouteRule, RouterRequest } from './route-rule.ts';

export const ATTRIBUTE_BITS = { host: 64, header: 32, path: 16, method: 8, sni: 4 } as const;

const SUB_RANK_WILDCARD_WITH_PORT = 4;
const SUB_RANK_NO_WILDCARD = 2;
const SUB_RANK_REGEX = 1;

const REGEX_MARK = '~';

export interface Candidate<Value> {
  /** Position in the order of its category, from 0; set when the category is complete. */
  rank: number;
  readonly order: CandidateOrder;
  /** Null without hosts. */
  readonly hosts: readonly HostPattern[] | null;
  /** What the path begins with: a plain entry itself, the literal beginning of a regex, '' without paths. */
  readonly pathPrefix: string;
  readonly regex: PathRegex | null;
  readonly methods: readonly string[] | null;
  readonly headers: readonly HeaderCondition[] | null;
  readonly snis: ReadonlySet<string> | null;
  readonly value: Value;
  /** The result when there is no regex: the same for every request. */
  readonly plainMatch: RouteMatch<Value>;
}

/** The keys of the order inside a category, most important first. */
interface CandidateOrder {
  readonly subRank: number;
  readonly headerCount: number;
  readonly regexPriority: number;
  readonly plainLength: number;
  readonly createdAt: number;
  readonly id: string;
  readonly entry: number;
}

/** Sum of the bits of the attributes a rule constrains; an empty list does not constrain. */
export function attributesOf(rule: RouteRule<unknown>): number {
  return (
    (isSet(rule.hosts) ? ATTRIBUTE_BITS.host : 0) +
    (rule.headers !== null && Object.keys(rule.headers).length > 0 ? ATTRIBUTE_BITS.header : 0) +
    (isSet(rule.paths) ? ATTRIBUTE_BITS.path : 0) +
    (isSet(rule.methods) ? ATTRIBUTE_BITS.method : 0) +
    (isSet(rule.snis) ? ATTRIBUTE_BITS.sni : 0)
  );
}

function isSet<Entry>(list: readonly Entry[] | null): list is readonly [Entry, ...Entry[]] {
  return list !== null && list.length > 0;
}

/** One candidate per path entry, one for a rule without paths. Throws SyntaxError for a regex that cannot run. */
export function makeCandidates<Value>(rule: RouteRule<Value>): Candidate<Value>[] {
  const paths = isSet(rule.paths) ? rule.paths : [null];
  return paths.map((path, entry) => makeCandidate(rule, path, entry));
}

function makeCandidate<Value>(rule: RouteRule<Value>, path: string | null, entry: number): Candidate<Value> {
  const regex = path?.startsWith(REGEX_MARK) ? compilePathRegex(path.slice(REGEX_MARK.length)) : null;
  const plainPath = regex === null ? (path ?? '') : '';
  const hosts = isSet(rule.hosts) ? rule.hosts.map(parseHostPattern) : null;
  const headers = compileHeaderConditions(rule.headers);
  return {
    rank: 0,
    order: {
      subRank: subRankOf(hosts, regex),
      headerCount: headers?.length ?? 0,
      regexPriority: regex === null ? 0 : rule.regexPriority,
      plainLength: plainPath.length,
      createdAt: rule.createdAt,
      id: rule.id,
      entry,
    },
    hosts,
    pathPrefix: regex === null ? plainPath : regex.literalPrefix,
    regex,
    methods: isSet(rule.methods) ? rule.methods : null,
    headers,
    snis: isSet(rule.snis) ? new Set(rule.snis.map((sni) => sni.replace(/\.$/, ''))) : null,
    value: rule.value,
    plainMatch: { value: rule.value, matchedPath: plainPath, captures: null },
  };
}

function subRankOf(hosts: readonly HostPattern[] | null, regex: PathRegex | null): number {
  const regexBit = regex === null ? 0 : SUB_RANK_REGEX;
  if (hosts === null) return regexBit;
  const wildcards = hosts.filter(({ isWildcard }) => isWildcard);
  const hasPort = wildcards.some(({ port }) => port !== undefined);
  return (
    (hasPort ? SUB_RANK_WILDCARD_WITH_PORT : 0) +
    (wildcards.length === 0 ? SUB_RANK_NO_WILDCARD : 0) +
    regexBit
  );
}

/** For sorting: what is tried first comes first. Ids decide between routes of the same second. */
export function compareCandidates(a: Candidate<unknown>, b: Candidate<unknown>): number {
  const first = a.order;
  const second = b.order;
  return (
    second.subRank - first.subRank ||
    second.headerCount - first.headerCount ||
    second.regexPriority - first.regexPriority ||
    second.plainLength - first.plainLength ||
    first.createdAt - second.createdAt ||
    (first.id < second.id ? -1 : Number(first.id > second.id)) ||
    first.entry - second.entry
  );
}

/** Whether the conditions hold that the index by host and path prefix leaves open. */
export function acceptsRequest(candidate: Candidate<unknown>, request: RouterRequest): boolean {
  return (
    (candidate.methods === null || candidate.methods.includes(request.method)) &&
    (candidate.snis === null || acceptsSni(candidate.snis, request)) &&
    (candidate.headers === null || meetsHeaderConditions(candidate.headers, request.headers)) &&
    (candidate.regex === null || testPath(candidate.regex.regex, request.path))
  );
}

/** Over plain http there is no server name, and the condition is skipped. */
function acceptsSni(snis: ReadonlySet<string>, { scheme, sni }: RouterRequest): boolean {
  return scheme !== 'https' || (sni !== undefined && snis.has(sni));
}

function testPath(regex: RegExp, path: string): boolean {
  regex.lastIndex = 0;
  return regex.test(path);
}

/** The result for a request that the candidate accepts. */
export function toMatch<Value>(candidate: Candidate<Value>, { path }: RouterRequest): RouteMatch<Value> {
  if (candidate.regex === null) return candidate.plainMatch;
  const { regex, groupCount } = candidate.regex;
  regex.lastIndex = 0;
  const groups = regex.exec(path) as RegExpExecArray;
  return {
    value: candidate.value,
    matchedPath: groups[0],
    captures: groupCount === 0 ? null : readCaptures(groups),
  };
}

/** A group that took no part is '' by position and absent by name. */
function readCaptures(groups: RegExpExecArray): RouteMatch<unknown>['captures'] {
  const named: Record<string, string> = {};
  for (const [name, text] of Object.entries(groups.groups ?? {})) {
    if (text !== undefined) named[name] = text;
  }
  return { unnamed: Array.from(groups, (text) => text ?? ''), named };
}
