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
    head += `\r\n${headers[index]}: ${headers[index + 1]}`;
  }
  return head;
}

/** The library would write a string as UTF-8, but header bytes are latin1 code units everywhere in the gateway. */
export function encodeHead(head: string): string | Uint8Array {
  return NOT_ASCII.test(head) ? Buffer.from(head, 'latin1') : head;
}
