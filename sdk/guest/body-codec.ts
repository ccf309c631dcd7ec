/** Bodies that plugins look into: forms, JSON objects and multipart. All functions work on latin1 byte text. */
import type { DecodedBody } from '../request.ts';
import { decodeMultipart, encodeMultipart, multipartBoundary } from './multipart.ts';
import { type Argument, collectArguments, formatArguments, parseArguments } from './query-string.ts';
import { bytesFromText, textFromBytes } from './text-encoding.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data';
const MAX_FIELDS = 1000;
const NOTHING: DecodedBody = { mime: undefined, fields: undefined };

export function decodeBody(bytes: string, contentType: string): DecodedBody {
  const type = mediaTypeOf(contentType);
  if (type === FORM) {
    return { mime: FORM, fields: collectArguments(parseArguments(bytes, MAX_FIELDS)) };
  }
  if (type === JSON_TYPE) return decodeJson(bytes);
  if (type === MULTIPART) {
    const boundary = multipartBoundary(contentType);
    const parts = boundary === undefined ? undefined : decodeMultipart(bytes, boundary);
    if (parts === undefined) return NOTHING;
    const named: Argument[] = parts.map((part) => [part.name, textFromBytes(part.content)]);
    return { mime: MULTIPART, fields: collectArguments(named) };
  }
  return NOTHING;
}

/**
 * Byte text of `fields` as `mime`. `original` and `contentType` are the body it replaces: the parts of a multipart
 * body that are still among the fields keep their own headers and bytes.
 * Throws TypeError on a type that cannot be encoded.
 */
export function encodeBody(
  fields: Readonly<Record<string, unknown>>,
  mime: string,
  original: string,
  contentType: string,
): string {
  switch (mime) {
    case FORM:
      return formatArguments(flattenFields(fields));
    case JSON_TYPE:
      return bytesFromText(JSON.stringify(fields));
    case MULTIPART: {
      const boundary = multipartBoundary(contentType);
      const parts = boundary === undefined ? undefined : decodeMultipart(original, boundary);
      if (boundary === undefined || parts === undefined)
        throw new TypeError('there is no multipart body to change');
      return encodeMultipart(
        parts.filter((part) => Object.hasOwn(fields, part.name)),
        boundary,
      );
    }
    default:
      throw new TypeError(`unsupported content type '${mime}'`);
  }
}

/** Without parameters, in lower case. */
function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

function decodeJson(bytes: string): DecodedBody {
  try {
    const value: unknown = JSON.parse(textFromBytes(bytes));
    if (typeof value === 'object' && value !== null) {
      return { mime: JSON_TYPE, fields: value as Readonly<Record<string, unknown>> };
    }
  } catch {
    // Broken JSON counts as no fields: contract/plugins.md section 1.
  }
  return { mime: JSON_TYPE, fields: undefined };
}

function flattenFields(fields: Readonly<Record<string, unknown>>): Argument[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (single): Argument => [name, single === true ? true : String(single)],
    ),
  );
}
