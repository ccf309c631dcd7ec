/** The named formats of strings: each is a function to the violated rule's text, or undefined when all is well. */
import { isRegex } from './check-attributes.ts';
import {
  checkHeaderEntry,
  checkHeaderRename,
  checkHeaderValueEntry,
  checkTemplate,
  checkValueEntry,
} from './entry-format.ts';
import type { StringFormat } from './fields.ts';
import { isIpOrCidr, isIpv4, isIpv6, parseHost } from './ip.ts';
import { invalidValue } from './messages.ts';
import { checkPath, checkRoutePath } from './path-format.ts';

type FormatCheck = (value: string) => string | undefined;

/** Texts: contract/admin-api.md sections 3, 3.2, 3.6 and 3.8. */
export const FORMATS: Readonly<Record<StringFormat, FormatCheck>> = {
  header_name: (value) =>
    /^[A-Za-z0-9_-]+$/.test(value)
      ? undefined
      : `bad header name '${value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`,
  cookie_name: (value) =>
    /^[^\x00-\x20\x7f()<>@,;:\\"/?={}[\]]+$/.test(value)
      ? undefined
      : 'contains one or more invalid characters. ASCII control characters (0-31;127), space, tab and the characters ()<>@,;:\\"/?={}[] are not allowed.',
  host: checkHost,
  host_with_optional_port: (value) => ('host' in parseHost(value) ? undefined : invalidValue(value)),
  route_host: checkRouteHost,
  path: checkPath,
  route_path: checkRoutePath,
  url: checkUrl,
  utf8_name: (value) =>
    /^[A-Za-z0-9.\-_~\u{80}-\u{10ffff}]+$/u.test(value)
      ? undefined
      : `invalid value '${value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`,
  tag: (value) =>
    /^[\x20-\x2b\x2d\x2e\x30-\x7e\u{80}-\u{10ffff}]+$/u.test(value)
      ? undefined
      : `invalid tag '${value}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`,
  sni: checkSni,
  ip: (value) => (isIpv4(value) || isIpv6(value) ? undefined : `not an ip address: ${value}`),
  ip_or_cidr: (value) => (isIpOrCidr(value) ? undefined : `invalid ip or cidr range: '${value}'`),
  upstream_name: checkUpstreamName,
  template: checkTemplate,
  value_entry: checkValueEntry,
  header_entry: checkHeaderEntry,
  header_rename: checkHeaderRename,
  header_value_entry: checkHeaderValueEntry,
  asterisk_or_regex: (value) =>
    value === '*' || isRegex(value) ? undefined : `'${value}' is not a valid regex`,
};

function checkHost(value: string): string | undefined {
  const parsed = parseHost(value);
  if (parsed.kind === 'bad-host') return invalidValue(value);
  return parsed.kind === 'bad-port' || parsed.port !== undefined ? 'must not have a port' : undefined;
}

function checkRouteHost(value: string): string | undefined {
  const wildcards = value.split('*').length - 1;
  if (wildcards > 1) return 'invalid wildcard: must have at most one wildcard';
  if (wildcards === 1 && !/^\*\.|\.\*(?::\d*)?$/.test(value)) {
    return 'invalid wildcard: must be placed at leftmost or rightmost label';
  }
  const parsed = parseHost(value.replace('*', 'abc'));
  if (parsed.kind === 'bad-port') return 'invalid port number';
  return parsed.kind === 'bad-host' ? `invalid hostname: ${value}` : undefined;
}

function checkSni(value: string): string | undefined {
  const wildcards = value.split('*').length - 1;
  if (wildcards > 1) return 'only one wildcard must be specified';
  if (wildcards === 1 && !/^\*\.|\.\*$|^\*$/.test(value))
    return 'wildcard must be leftmost or rightmost character';
  const parsed = parseHost(value.replace('*', 'abc'));
  if (parsed.kind === 'bad-host') return invalidValue(value);
  if (parsed.kind === 'ipv4' || parsed.kind === 'ipv6') return 'must not be an IP';
  return parsed.kind === 'bad-port' || parsed.port !== undefined ? 'must not have a port' : undefined;
}

function checkUpstreamName(value: string): string | undefined {
  const refuse = (reason: string) => `Invalid name ('${value}'); ${reason}`;
  const parsed = parseHost(value);
  if (parsed.kind === 'ipv4' || parsed.kind === 'ipv6') return refuse('no ip addresses allowed');
  if (parsed.kind !== 'name') return refuse('must be a valid hostname');
  return parsed.port === undefined ? undefined : refuse('no port allowed');
}

function checkUrl(value: string): string | undefined {
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?/.exec(value);
  if (!parts?.[2]) return 'missing host in url';
  return parts[1] === undefined ? 'missing scheme in url' : undefined;
}
