/**
 * Answers that the HTTP library does not know to be complete. It parses what follows an answer it has ended, and it
 * closes a connection on which something follows one it has not. Where nothing may be parsed any more, answers are
 * therefore written through calls that end nothing, and the connection is closed by us.
 */
import { CLOSE_LINE, UNMEASURED } from './answer-head.ts';

const LINE_END_BYTES = 2;
const VERSION_BYTES = 'HTTP/1.1 '.length;
/** The library adds the line end that completes it. */
const WHOLE_ANSWER_END = Buffer.from('\r\n0\r\n');

/**
 * The end of a streamed body as a header: written with ": " between and a line end behind, it is the last chunk
 * with an extension, which recipients pass over (RFC 9112 section 7.1.1).
 */
export const LAST_CHUNK = { name: '\r\n0;end="', value: '"\r\n', byteCount: 16 } as const;

/** A head with its announced length, if any, and nothing else, to be written in the place of a status line. */
export function joinBareAnswer(head: string, bodyLength: number): Uint8Array {
  const lengthLine = bodyLength === UNMEASURED ? '' : `\r\nContent-Length: ${bodyLength}`;
  return Buffer.from(`${completeHead(head)}${lengthLine}\r\n`, 'latin1');
}

/** Head and body in one chunk, to be written in the place of a status line. */
export function joinWholeAnswer(head: string, body: Uint8Array): Uint8Array {
  const framing = `\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`;
  return Buffer.concat([Buffer.from(completeHead(head) + framing, 'latin1'), body, WHOLE_ANSWER_END]);
}

/** Bytes on the wire of an answer joined here. */
export function countUnendedAnswer(bytes: Uint8Array): number {
  return VERSION_BYTES + bytes.length + LINE_END_BYTES;
}

function completeHead(head: string): string {
  return `${head}${CLOSE_LINE}\r\nDate: ${new Date().toUTCString()}`;
}
