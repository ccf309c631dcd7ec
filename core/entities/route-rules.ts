/** What a route may and must say of requests, by its protocols (contract/admin-api.md section 3.2). */
import { isPlainRecord } from '../../sdk/schema/index.ts';
import { PROTOCOLS } from './common-fields.ts';
import type { RuleErrors } from './define-entity.ts';
import { checkRoutePatterns } from './route-patterns.ts';

type Row = Readonly<Record<string, unknown>>;

interface RuleSet {
  /** At least one of these must be set; the text names them and the protocol. */
  readonly needed: (protocols: readonly unknown[]) => {
    readonly fields: readonly string[];
    readonly text: string;
  };
  /** These may not be set. */
  readonly forbidden: readonly string[];
  /** The protocols as the text of a forbidden field names them. */
  readonly forbiddenFor: string;
}

const HTTP: RuleSet = {
  needed: (protocols) =>
    protocols.includes('https')
      ? mustSetOne(['methods', 'hosts', 'headers', 'paths', 'snis'], "'https'")
      : mustSetOne(['methods', 'hosts', 'headers', 'paths'], "'http'"),
  forbidden: ['sources', 'destinations'],
  forbiddenFor: "'http' or 'https'",
};

const GRPC: RuleSet = {
  needed: (protocols) =>
    protocols.includes('grpcs')
      ? mustSetOne(['hosts', 'headers', 'paths', 'snis'], "'grpcs'")
      : mustSetOne(['hosts', 'headers', 'paths'], "'grpc'"),
  forbidden: ['methods', 'sources', 'destinations'],
  forbiddenFor: "'grpc' or 'grpcs'",
};

const STREAM: RuleSet = {
  needed: () => mustSetOne(['sources', 'destinations', 'snis'], "'tcp', 'tls' or 'udp'"),
  forbidden: ['methods', 'hosts', 'paths', 'headers'],
  forbiddenFor: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
};

const PASSTHROUGH: RuleSet = {
  ...STREAM,
  needed: () => ({ fields: ['snis'], text: "must set snis when 'protocols' is 'tls_passthrough'" }),
};

const RULE_SETS: Readonly<Record<(typeof PROTOCOLS)[number], RuleSet>> = {
  http: HTTP,
  https: HTTP,
  grpc: GRPC,
  grpcs: GRPC,
  tcp: STREAM,
  tls: STREAM,
  udp: STREAM,
  tls_passthrough: PASSTHROUGH,
};

const TLS_PROTOCOLS = ['grpcs', 'https', 'tls', 'tls_passthrough'];

function mustSetOne(
  fields: readonly string[],
  protocol: string,
): { fields: readonly string[]; text: string } {
  const names = fields.map((name) => `'${name}'`).join(', ');
  return { fields, text: `must set one of ${names} when 'protocols' is ${protocol}` };
}

/** The first protocol of the list that exists: it chooses the rules. */
export function findRouteProtocol(protocols: readonly unknown[]): (typeof PROTOCOLS)[number] | undefined {
  return PROTOCOLS.find((known) => known === protocols.find((item) => PROTOCOLS.some((one) => one === item)));
}

export function checkRoute(route: Row): RuleErrors {
  const protocols = route['protocols'];
  const first = Array.isArray(protocols) ? findRouteProtocol(protocols) : undefined;
  if (!Array.isArray(protocols) || first === undefined)
    return { ...checkRoutePatterns(route), ...checkHeaderNames(route) };
  const rules = RULE_SETS[first];
  const texts: string[] = [];
  const errors: Record<string, unknown> = {
    ...checkRoutePatterns(route),
    ...checkHeaderNames(route),
    ...checkForbidden(route, rules),
  };
  if (isSet(route['snis']) && !protocols.some((protocol) => TLS_PROTOCOLS.includes(String(protocol)))) {
    texts.push("'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'");
    errors['snis'] = 'length must be 0';
  }
  const needed = rules.needed(protocols);
  if (!needed.fields.some((name) => isSet(route[name]))) texts.push(needed.text);
  if (rules === GRPC && route['strip_path'] === true) errors['strip_path'] = cannotSet('strip_path', rules);
  return texts.length > 0 ? { '@entity': texts, ...errors } : errors;
}

function checkForbidden(route: Row, rules: RuleSet): RuleErrors {
  const set = rules.forbidden.filter((name) => isSet(route[name]));
  return Object.fromEntries(set.map((name) => [name, cannotSet(name, rules)]));
}

function cannotSet(name: string, rules: RuleSet): string {
  return `cannot set '${name}' when 'protocols' is ${rules.forbiddenFor}`;
}

function checkHeaderNames(route: Row): RuleErrors {
  const headers = route['headers'];
  if (!isPlainRecord(headers) || !Object.keys(headers).some((name) => name.toLowerCase() === 'host'))
    return {};
  return { headers: "cannot contain 'host' header, which must be specified in the 'hosts' attribute" };
}

/** Empty lists and maps count as not set. */
function isSet(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isPlainRecord(value) || Object.keys(value).length > 0;
}
