/** What of a request decides where it goes when its upstream hashes: contract/proxy.md section 8.2. */
import { randomUUID } from 'node:crypto';
import type { BalancerRules, HashInput } from '../balancing/balancer-rules.ts';
import { hashText } from '../balancing/hash-text.ts';
import type { RequestFlow } from './request-flow.ts';

/** The hash of the first input that has a value; that of the empty text where none has. */
export function hashRequest(flow: RequestFlow, { hashInputs, cookiePath }: BalancerRules): number {
  for (const input of hashInputs) {
    const value =
      input.kind === 'cookie' ? readOrMakeCookie(flow, input.name, cookiePath) : read(flow, input);
    if (value !== '') return hashText(value);
  }
  return hashText('');
}

function read(flow: RequestFlow, { kind, name }: HashInput): string {
  switch (kind) {
    case 'consumer':
      return readId(flow.consumer) || readId(flow.credential);
    case 'ip':
      return flow.clientAddress;
    case 'header':
      return readHeader(flow.exchange.headers, name.toLowerCase());
    case 'path':
      return flow.path;
    case 'query_arg':
      return readArgument(flow.exchange.rawQuery ?? '', name);
    case 'uri_capture':
      return readCapture(flow, name);
    default:
      return '';
  }
}

function readId(json: string): string {
  if (json === '') return '';
  const { id } = JSON.parse(json) as { readonly id?: unknown };
  return typeof id === 'string' ? id : '';
}

function readHeader(headers: readonly string[], wanted: string): string {
  let joined = '';
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== wanted) continue;
    joined = joined === '' ? (headers[at + 1] ?? '') : `${joined}, ${headers[at + 1]}`;
  }
  return joined;
}

/** `true` stands for an argument without a value, nothing for an empty one. */
function readArgument(query: string, wanted: string): string {
  const values: string[] = [];
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (name === '' || decode(name) !== wanted) continue;
    values.push(equals < 0 ? 'true' : decode(part.slice(equals + 1)));
  }
  return values.sort().join(',');
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function readCapture({ captures }: RequestFlow, name: string): string {
  if (captures === null) return '';
  return /^\d+$/.test(name) ? (captures.unnamed[Number(name)] ?? '') : (captures.named[name] ?? '');
}

/** A client without the cookie is given one with its answer, so that it comes back to the same address. */
function readOrMakeCookie(flow: RequestFlow, name: string, path: string): string {
  const { headers } = flow.exchange;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== 'cookie') continue;
    const sent = findCookie(headers[at + 1] ?? '', name);
    if (sent !== '') return sent;
  }
  const made = randomUUID();
  flow.balancerCookie = `${name}=${made}; Path=${path}; Same-Site=Lax; HttpOnly`;
  return made;
}

function findCookie(header: string, wanted: string): string {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === wanted) return pair.slice(equals + 1).trim();
  }
  return '';
}
