/** The head of an answer as text: status line and headers, in the one piece the HTTP library writes at once. */
import { STATUS_CODES } from 'node:http';

const STATUS_LINES: readonly string[] = Array.from(
  { length: 1000 },
  (_, status) => `${status} ${STATUS_CODES[status] ?? ''}`,
);

const NOT_ASCII = /[^\x00-\x7f]/;

/** Whether an answer with this status never has a body (RFC 9110 section 6.4.1). */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/**
 * "200 OK" and the headers, separated by CRLF, without a last one. Headers are flat and taken as they are: whoever
 * hands them over has made sure that they hold no CR or LF.
 */
export function joinHead(status: number, headers: readonly string[]): string {
  let head = STATUS_LINES[status] ?? `${status} `;
  for (let index = 0; index < headers.length; index += 2) {
    head += '\r\n' + headers[index] + ': ' + headers[index + 1];
  }
  return head;
}

/** The library would write a string as UTF-8, but header bytes are latin1 code units everywhere in the gateway. */
export function encodeHead(head: string): string | Uint8Array {
  return NOT_ASCII.test(head) ? Buffer.from(head, 'latin1') : head;
}

/** Length of a body that is sent in chunks, or of one that is absent. */
export const UNMEASURED = -1;

export const CLOSE_LINE = '\r\nConnection: close';

/** "HTTP/1.1 ", the line end behind a joined head, and the Date line, which the library adds. */
const ADDED_BYTES = 9 + 2 + 37;
const CONTENT_LENGTH_BYTES = 'Content-Length: \r\n'.length;
/** Without the empty line behind it: in the library's hands that is the beginning of a chunk. */
const CHUNKED_BYTES = 'Transfer-Encoding: chunked'.length;

/** Bytes of a head on the wire, from its joined text and what the library adds to it. */
export function countHead(head: string, closes: boolean, hasBody: boolean, bodyLength: number): number {
  let bytes = ADDED_BYTES + head.length + 2;
  if (closes) bytes += CLOSE_LINE.length;
  if (bodyLength !== UNMEASURED) bytes += CONTENT_LENGTH_BYTES + String(bodyLength).length;
  else if (hasBody) bytes += CHUNKED_BYTES;
  return bytes;
}
