/**
 * Where the kit's calls differ from ours: in what they give back, or in what they take. All others are the same, be they
 * declared in this version or a later one.
 */
import type { ArgumentValue, DecodedBody } from '../request.ts';

/** The `kong` of whichever phase; what a phase does not allow throws, as for every plugin. */
// biome-ignore lint/suspicious/noExplicitAny: plugins that are ported are JavaScript, checked when they call
type AnyKong = any;

type KitCall = (kong: AnyKong, ...given: readonly unknown[]) => unknown;

type MultiMap = Readonly<Record<string, readonly string[]>>;

export const KIT_CALLS: Readonly<Record<string, KitCall>> = {
  'request.getHttpVersion': (kong) => Number(kong.request.getHttpVersion()),
  'request.getQuery': (kong, max) => toMultiMap(kong.request.getQuery(max)),
  'request.getBody': async (kong) => ((await kong.request.getBody()) as DecodedBody).fields,

  'service.request.enableBuffering': () => undefined,
  'service.request.setRawBody': (kong, body) => kong.service.request.setRawBody(toText(body)),
  'service.request.setBody': (kong, fields, mime) =>
    kong.service.request.setBody(fields, mime ?? mediaTypeOf(kong.request.getHeader('content-type'))),
  'service.response.getBody': (kong) => (kong.service.response.getBody() as DecodedBody | undefined)?.fields,

  'response.exit': (kong, status, body, headers) =>
    kong.response.exit(status, isBytes(body) ? toText(body) : (body ?? undefined), headers ?? undefined),
  'response.error': (kong, status, message, headers) =>
    kong.response.error(
      status,
      typeof message === 'object' && message !== null ? JSON.stringify(message) : (message ?? undefined),
      headers ?? undefined,
    ),

  'ctx.shared.get': (kong, key) => kong.ctx.shared[String(key)],
  'ctx.shared.set': (kong, key, value) => {
    kong.ctx.shared[String(key)] = value;
  },

  'log.serialize': (kong) => JSON.stringify(kong.log.serialize()),

  'nginx.getSubsystem': () => 'http',
  'nginx.reqStartTime': (kong) => kong.request.getStartTime() / 1000,
  'table.merge': (_, one, other) => ({ ...(one as object), ...(other as object) }),
};

/** Calls that change something: lost behind an answer, as they are with the kit. */
export function isChange(path: string): boolean {
  return /^(?:service|response)\b.*\.(?:set|add|clear|exit|error)\w*$|^client\.authenticate$/.test(path);
}

/** A name without a value is an empty list. */
function toMultiMap(query: Readonly<Record<string, ArgumentValue>>): MultiMap {
  return Object.fromEntries(
    Object.entries(query).map(([name, values]) => [
      name,
      [values].flat().filter((value): value is string => value !== true),
    ]),
  );
}

function isBytes(body: unknown): body is Uint8Array {
  return ArrayBuffer.isView(body);
}

/** Bytes are UTF-8. */
function toText(body: unknown): string {
  if (!isBytes(body)) return String(body ?? '');
  let escaped = '';
  for (const byte of body) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  return decodeURIComponent(escaped);
}

function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
