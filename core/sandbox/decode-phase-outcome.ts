/** What the host makes of a guest's result: decoded, checked, and never trusted further than its grammar. */
import { GUEST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { BodyKind, GuestError, RequestChanges } from '../../sdk/protocol/phase-result.ts';
import { RESULT_LINES, RESULT_TRIPLES_START } from '../../sdk/protocol/phase-result.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';

const BODY_KINDS: readonly string[] = ['error', 'json', 'text', ''];
const OPERATIONS: readonly string[] = ['s', 'a', 'r'];
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const FORBIDDEN_IN_VALUE = /[\r\0]/;
const METHOD = /^[A-Z]{1,32}$/;
const PATH = /^\/[^\s\0]*$/;
const QUERY = /^[\x21-\x7e\x80-\xff]*$/;
const BYTES = /^[\0-\xff]*$/;

/** Throws RangeError or SyntaxError on anything a guest runtime of ours would not have written. */
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
    consumer: readJson(lines[RESULT_LINES.consumer] ?? ''),
    credential: readJson(lines[RESULT_LINES.credential] ?? ''),
    shared: readJson(lines[RESULT_LINES.shared] ?? ''),
    changes: changes === '' ? undefined : readChanges(changes),
    serviceTriples: readTriples(lines, RESULT_TRIPLES_START, responseStart),
    responseTriples: readTriples(lines, responseStart, bodyStart),
    status,
    bodyKind: bodyKind as BodyKind,
    body: kind === 'error' ? '' : body,
    failure: kind === 'error' ? readFailure(body) : undefined,
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

/** Method, path and query go into the request line: nothing may be in them that could end it. */
function readChanges(json: string): RequestChanges {
  const changes = JSON.parse(json) as RequestChanges | null;
  if (typeof changes !== 'object' || changes === null) throw new RangeError('malformed changes');
  const { method, path, rawQuery, body } = changes;
  const isWellFormed =
    matches(method, METHOD) && matches(path, PATH) && matches(rawQuery, QUERY) && matches(body, BYTES);
  if (!isWellFormed) throw new RangeError('malformed changes');
  return changes;
}

function matches(value: unknown, pattern: RegExp): boolean {
  return value === undefined || (typeof value === 'string' && pattern.test(value));
}

function readFailure(json: string): GuestError {
  const failure = JSON.parse(json) as Partial<Record<keyof GuestError, unknown>> | null;
  const { plugin, phase, name, message, stack } = failure ?? {};
  return {
    plugin: String(plugin),
    phase: String(phase),
    name: String(name),
    message: String(message),
    stack: String(stack),
  };
}

/** The same few identities come back with every request. */
const soundTexts = new Set<string>();
const MAX_SOUND_TEXTS = 1000;

/** JSON that goes on to other guests and back: it must be what it claims to be. */
function readJson(text: string): string {
  if (text === '' || text === 'null' || soundTexts.has(text)) return text;
  if (typeof JSON.parse(text) !== 'object') throw new RangeError('malformed phase result');
  if (soundTexts.size >= MAX_SOUND_TEXTS) soundTexts.clear();
  soundTexts.add(text);
  return text;
}

function readTriples(lines: readonly string[], start: number, end: number): readonly string[] | null {
  if (start === end) return null;
  for (let at = start; at < end; at += 3) {
    const name = lines[at + 1] ?? '';
    const value = lines[at + 2] ?? '';
    // A guest that got around the SDK must still not be able to split a head in two.
    if (!OPERATIONS.includes(lines[at] ?? '') || !HEADER_NAME.test(name) || FORBIDDEN_IN_VALUE.test(value))
      throw new RangeError('malformed header operation');
  }
  return lines.slice(start, end);
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 599;
}
