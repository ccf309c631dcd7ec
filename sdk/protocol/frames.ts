/**
 * The envelope of everything that crosses the wall: one string each way, made of length-prefixed frames.
 *
 * A frame is `<kind> <id> <length>\n<payload>`. Lengths, not separators, delimit payloads, so nothing a client or a
 * plugin writes can be mistaken for a frame. One string may carry the calls of many requests: what a crossing
 * costs is then shared by all of them.
 */

export interface Frame {
  /** One letter; see HOST_FRAMES and GUEST_FRAMES. */
  readonly kind: string;
  /** Number of the call or of the host call this belongs to; 0 where there is none. */
  readonly id: number;
  readonly payload: string;
}

/** Host → guest. */
export const HOST_FRAMES = {
  rewrite: 'W',
  access: 'A',
  response: 'R',
  log: 'L',
  /** Answer to a host call: payload is JSON. */
  reply: 'H',
  /** A host call failed: payload is the message. */
  failure: 'F',
  /** The request is gone (client aborted, deadline passed): forget the call. */
  cancel: 'X',
  /** Log calls older than this many ms have had their time: nobody waits for them, so nobody cancels them. */
  expire: 'O',
  /** Cached rows to drop: JSON of `Invalidation`. */
  invalidate: 'I',
  /** No request of a generation of configuration is left; `id` is its number. Behind their last log records. */
  drop: 'D',
  /** Handlers are timed until the crossing ends. Counts for nothing else. */
  sample: 'S',
  /** Begins a body that is to be transformed; payload: body-step.ts. */
  openBody: 'V',
  /** The next piece of such a body; payload: body-step.ts. */
  feedBody: 'E',
  /** Nobody waits for a body any more; `id` is its number. */
  closeBody: 'Z',
  /** Entries of a queue; payload: background.ts. */
  batch: 'Q',
  /** A timer is due; payload: background.ts. */
  timer: 'T',
  /** Configurations may have changed. */
  configured: 'G',
  /** An instance is gone and so are the entries of its queue; payload: its id. */
  forget: 'N',
} as const;

/** Guest → host. */
export const GUEST_FRAMES = {
  /** The phase is over and the request goes on; payload: phase-result.ts. */
  proceed: 'P',
  /** A plugin answered; payload: phase-result.ts. */
  exit: 'X',
  /** A handler threw; payload: JSON of `GuestError`. */
  error: 'E',
  /** A host call; `id` is the call it belongs to; payload: host-call.ts. */
  hostCall: 'C',
  /** Log lines of a call; payload: JSON of `LogLine[]`. */
  logLines: 'G',
  /** What became of the call's trace, ahead of its result; payload: trace.ts. */
  trace: 'T',
  /** A piece of a body or work of no request is done; payload: what body-step.ts says, or nothing. */
  stepDone: 'S',
  /** A handler of it threw; payload: JSON of `GuestError`. */
  stepFailed: 'F',
  /** An entry for a queue; payload: background.ts. */
  queue: 'Q',
} as const;

/** The one function of the host that a guest finds, as a global the runtime takes away: text in, text out. */
export const TELL_HOST = 'tollgateTellHost';

/** A global like it: milliseconds, for the runtime alone to measure with. */
export const CLOCK = 'tollgateClock';

export function encodeFrame(kind: string, id: number, payload: string): string {
  return kind + ' ' + id + ' ' + payload.length + '\n' + payload;
}

/** Calls `visit` for each frame of `text`. Throws RangeError on text that is no sequence of frames. */
export function decodeFrames(
  text: string,
  start: number,
  visit: (kind: string, id: number, payload: string) => void,
): void {
  let at = start;
  while (at < text.length) {
    const lineEnd = text.indexOf('\n', at);
    const idEnd = text.indexOf(' ', at + 2);
    if (lineEnd < 0 || idEnd < 0 || idEnd > lineEnd) throw new RangeError('malformed frame');
    const id = readWhole(text, at + 2, idEnd);
    const length = readWhole(text, idEnd + 1, lineEnd);
    const payloadStart = lineEnd + 1;
    const end = payloadStart + length;
    if (end > text.length) throw new RangeError('truncated frame');
    visit(text.charAt(at), id, text.slice(payloadStart, end));
    at = end;
  }
}

const DIGIT_ZERO = 48;
const MAX_DIGITS = 15;

/** Throws RangeError on anything but digits. Cheaper than cutting them out, which every frame would pay for twice. */
function readWhole(text: string, start: number, end: number): number {
  if (end <= start || end - start > MAX_DIGITS) throw new RangeError('malformed frame');
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - DIGIT_ZERO;
    if (digit < 0 || digit > 9) throw new RangeError('malformed frame');
    value = value * 10 + digit;
  }
  return value;
}
