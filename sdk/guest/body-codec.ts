/** Bodies that plugins look into: forms, JSON objects and multipart. All functions work on latin1 byte text. */
import type { DecodedBody } from '../request.ts';
import {
  createPart,
  decodeMultipart,
  encodeMultipart,
  multipartBoundary,
  type Part,
  renamePart,
} from './multipart.ts';
import { type Argument, collectArguments, formatArguments, parseArguments } from './query-string.ts';
import { bytesFromText, textFromBytes } from './text-encoding.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data';
const MAX_FIELDS = 1000;
/** Of JSON that is looked into. */
const MAX_DEPTH = 200;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
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
 * body that are still among the fields keep their own headers and bytes, be it under another name.
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
      if (boundary === undefined) throw new TypeError('there is no boundary for a multipart body');
      const parts = original === '' ? [] : decodeMultipart(original, boundary);
      if (parts === undefined) throw new TypeError('there is no multipart body to change');
      return encodeMultipart(changeParts(parts, fields, boundary), boundary);
    }
    default:
      throw new TypeError(`unsupported content type '${mime}'`);
  }
}

/** What is left as it was keeps its place; the rest comes behind. Throws TypeError on a field that holds the boundary. */
function changeParts(
  parts: readonly Part[],
  fields: Readonly<Record<string, unknown>>,
  boundary: string,
): readonly Part[] {
  const wanted = flattenFields(fields).map(([name, value]) => ({ name, text: String(value) }));
  const kept: Part[] = [];
  const gone: Part[] = [];
  for (const part of parts) {
    const text = textFromBytes(part.content);
    const at = wanted.findIndex((field) => field.name === part.name && field.text === text);
    if (at >= 0) wanted.splice(at, 1);
    (at >= 0 ? kept : gone).push(part);
  }
  for (const { name, text } of wanted) {
    const bytes = bytesFromText(name);
    const renamed = gone.find(({ content }) => textFromBytes(content) === text);
    const part = renamed ? renamePart(renamed, bytes) : createPart(bytes, bytesFromText(text));
    if (`\r\n${part.content}`.includes(`\r\n--${boundary}`))
      throw new TypeError(`the field '${name}' holds the boundary between the parts`);
    kept.push(part);
  }
  return kept;
}

/** Without parameters, in lower case. */
function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

function decodeJson(bytes: string): DecodedBody {
  if (isNestedTooDeeply(bytes)) return { mime: JSON_TYPE, fields: undefined };
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

/** Of JSON: writing it again takes a time that grows with the square of its depth. */
function isNestedTooDeeply(json: string): boolean {
  // As many brackets have to be closed again.
  if (json.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
      if (at < 0) return false;
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
  }
  return false;
}

/** Position of the closing quote, -1 without one. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end >= 0) {
    let before = end;
    while (json.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
    end = json.indexOf('"', end + 1);
  }
  return -1;
}

function flattenFields(fields: Readonly<Record<string, unknown>>): Argument[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (single): Argument => [name, single === true ? true : String(single)],
    ),
  );
}
