/**
 * Host → guest and back: a body that plugins transform piece by piece as it passes. Bytes travel as latin1 text, one
 * character a byte, which is exact for any content.
 *
 * `openBody` carries `<body> <direction>\n` and a call as phase-call.ts describes it, with the picks of access; the guest
 * answers `stepDone` with WANTED or UNWANTED. Then each `feedBody` carries `<body> <more or last>\n` and bytes, and is
 * answered by `stepDone` with the bytes that take their place, before the next one is sent. The number of the body is the
 * host's and never comes again; every frame is also a call with a number of its own.
 */

export type BodyDirection = 'request' | 'response';

export const BODY_DIRECTIONS: readonly BodyDirection[] = ['request', 'response'];

export const WANTED = 'y';
export const UNWANTED = 'n';

const MORE = 'm';
const LAST = 'l';

/** What plugins may make of one piece, and add at the end, in bytes. */
export const MAX_TRANSFORMED_BYTES = 1024 * 1024;

export function encodeOpenBody(body: number, direction: BodyDirection, call: string): string {
  return body + ' ' + direction + '\n' + call;
}

export function decodeOpenBody(payload: string): {
  readonly body: number;
  readonly direction: BodyDirection;
  readonly call: string;
} {
  const lineEnd = payload.indexOf('\n');
  const [body, direction] = payload.slice(0, lineEnd).split(' ');
  return { body: Number(body), direction: direction as BodyDirection, call: payload.slice(lineEnd + 1) };
}

export function encodeFeedBody(body: number, bytes: string, isLast: boolean): string {
  return body + ' ' + (isLast ? LAST : MORE) + '\n' + bytes;
}

export function decodeFeedBody(payload: string): {
  readonly body: number;
  readonly isLast: boolean;
  readonly bytes: string;
} {
  const lineEnd = payload.indexOf('\n');
  return {
    body: Number(payload.slice(0, lineEnd - 2)),
    isLast: payload.charAt(lineEnd - 1) === LAST,
    bytes: payload.slice(lineEnd + 1),
  };
}
