/** What the host makes of a guest's result: decoded, checked, and never trusted further than its grammar. */
import { GUEST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { BodyKind, GuestError, RequestChanges } from '../../sdk/protocol/phase-result.ts';
import { RESULT_LINES, RESULT_TRIPLES_START } from '../../sdk/protocol/phase-result.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';

const BODY_KINDS: readonly string[] = ['error', 'json', 'text', ''];
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const FORBIDDEN_IN_VALUE = /[\r\0]/;

/** Throws RangeError on anything a guest runtime of ours would not have written. */
export function decodePhaseOutcome(frameKind: string, payload: string): PhaseOutcome {
  const lines = payload.split('\n');
  const serviceLines = readCount(lines, RESULT_LINES.serviceLines);
  const responseLines = readCount(lines, RESULT_LINES.responseLines);
  const responseStart = RESULT_TRIPLES_START + serviceLines;
  const bodyStart = responseStart + responseLines;
  const bodyKind = lines[RESULT_LINES.bodyKind] ?? '';
  const status = Number(lines[RESULT_LINES.status]);
  if (lines.length < bodyStart || !BODY_KINDS.includes(bodyKind) || !(status === 0 || isStatus(status))) {
    throw new RangeError('malformed phase result');
  }
  const kind = kindOf(frameKind);
  const body = lines.length === bodyStart ? '' : lines.slice(bodyStart).join('\n');
  const changes = lines[RESULT_LINES.changes] ?? '';
  return {
    kind,
    picks: lines[RESULT_LINES.picks] ?? '',
    consumer: lines[RESULT_LINES.consumer] ?? '',
    credential: lines[RESULT_LINES.credential] ?? '',
    shared: lines[RESULT_LINES.shared] ?? '',
    changes: changes === '' ? undefined : (JSON.parse(changes) as RequestChanges),
    serviceTriples: readTriples(lines, RESULT_TRIPLES_START, responseStart),
    responseTriples: readTriples(lines, responseStart, bodyStart),
    status,
    bodyKind: bodyKind as BodyKind,
    body: kind === 'error' ? '' : body,
    failure: kind === 'error' ? (JSON.parse(body) as GuestError) : undefined,
  };
}

function kindOf(frameKind: string): PhaseOutcome['kind'] {
  if (frameKind === GUEST_FRAMES.proceed) return 'proceed';
  return frameKind === GUEST_FRAMES.exit ? 'exit' : 'error';
}

function readCount(lines: readonly string[], index: number): number {
  const count = Number(lines[index]);
  if (!Number.isInteger(count) || count < 0 || count % 3 !== 0)
    throw new RangeError('malformed phase result');
  return count;
}

function readTriples(lines: readonly string[], start: number, end: number): readonly string[] | null {
  if (start === end) return null;
  for (let at = start; at < end; at += 3) {
    const name = lines[at + 1] ?? '';
    const value = lines[at + 2] ?? '';
    // A guest that got around the SDK must still not be able to split a head in two.
    if (!HEADER_NAME.test(name) || FORBIDDEN_IN_VALUE.test(value))
      throw new RangeError('malformed header operation');
  }
  return lines.slice(start, end);
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 599;
}
