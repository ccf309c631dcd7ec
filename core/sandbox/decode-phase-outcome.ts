/** What the host makes of a guest's result: decoded, checked, and never trusted further than its grammar. */
import { isIP } from 'node:net';
import { GUEST_FRAMES } from '../../sdk/protocol/frames.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { BodyKind, GuestError, RequestChanges } from '../../sdk/protocol/phase-result.ts';
import { OPERATION_SEPARATOR } from '../../sdk/protocol/phase-result.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';

const BODY_KINDS: readonly string[] = ['error', 'json', 'text', ''];
const OPERATIONS: readonly string[] = ['s', 'a', 'r'];
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const METHOD = /^[A-Z]{1,32}$/;
const PATH = /^\/[^\s\0]*$/;
const QUERY = /^[\x21-\x7e\x80-\xff]*$/;
const BYTES = /^[\0-\xff]*$/;

/**
 * Throws RangeError or SyntaxError on anything a guest runtime of ours would not have written. `mayRetarget`: the
 * package may choose where the request goes.
 */
export function decodePhaseOutcome(frameKind: string, payload: string, mayRetarget = false): PhaseOutcome {
  const picksEnd = endOfLine(payload, 0);
  const consumerEnd = endOfLine(payload, picksEnd + 1);
  const credentialEnd = endOfLine(payload, consumerEnd + 1);
  const sharedEnd = endOfLine(payload, credentialEnd + 1);
  const changesEnd = endOfLine(payload, sharedEnd + 1);
  const serviceEnd = endOfLine(payload, changesEnd + 1);
  const responseEnd = endOfLine(payload, serviceEnd + 1);
  const statusEnd = endOfLine(payload, responseEnd + 1);
  const bodyKindEnd = payload.indexOf('\n', statusEnd + 1);
  const bodyKind = payload.slice(statusEnd + 1, bodyKindEnd < 0 ? payload.length : bodyKindEnd);
  const status = Number(payload.slice(responseEnd + 1, statusEnd));
  if (!BODY_KINDS.includes(bodyKind) || !(status === 0 || isStatus(status)))
    throw new RangeError('malformed phase result');
  const kind = kindOf(frameKind);
  const body = bodyKindEnd < 0 ? '' : payload.slice(bodyKindEnd + 1);
  const changes = payload.slice(sharedEnd + 1, changesEnd);
  return {
    kind,
    picks: payload.slice(0, picksEnd),
    consumer: readJson(payload.slice(picksEnd + 1, consumerEnd)),
    credential: readJson(payload.slice(consumerEnd + 1, credentialEnd)),
    shared: readJson(payload.slice(credentialEnd + 1, sharedEnd)),
    changes: changes === '' ? undefined : readChanges(changes, mayRetarget),
    serviceTriples: readKnownOperations(payload.slice(changesEnd + 1, serviceEnd)),
    responseTriples: readOperations(payload.slice(serviceEnd + 1, responseEnd)),
    status,
    bodyKind: bodyKind as BodyKind,
    body: kind === 'error' ? '' : body,
    failure: kind === 'error' ? readFailure(body) : undefined,
  };
}

function endOfLine(payload: string, start: number): number {
  const end = payload.indexOf('\n', start);
  if (end < 0) throw new RangeError('malformed phase result');
  return end;
}

function kindOf(frameKind: string): PhaseOutcome['kind'] {
  if (frameKind === GUEST_FRAMES.proceed) return 'proceed';
  return frameKind === GUEST_FRAMES.exit ? 'exit' : 'error';
}

/** Names and addresses go into Host headers and to the resolver. */
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?$/;
const MAX_PORT = 65_535;
const MAX_RETRIES = 32_767;
const MAX_TIMEOUT_MS = 2_147_483_646;

/** Method, path and query go into the request line: nothing may be in them that could end it. */
function readChanges(json: string, mayRetarget: boolean): RequestChanges {
  const changes = JSON.parse(json) as RequestChanges | null;
  if (typeof changes !== 'object' || changes === null) throw new RangeError('malformed changes');
  const { method, path, rawQuery, body, scheme, target, retries, timeouts } = changes;
  const isWellFormed =
    matches(method, METHOD) && matches(path, PATH) && matches(rawQuery, QUERY) && matches(body, BYTES);
  if (!isWellFormed) throw new RangeError('malformed changes');
  if (retries !== undefined && !isWithin(retries, 0, MAX_RETRIES)) throw new RangeError('malformed retries');
  if (timeouts !== undefined && !areTimeouts(timeouts)) throw new RangeError('malformed timeouts');
  if (scheme === undefined && target === undefined) return changes;
  if (!mayRetarget) throw new RangeError(`the manifest does not ask for 'serviceTarget'`);
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    throw new RangeError('malformed scheme');
  if (target !== undefined && !isTarget(target)) throw new RangeError('malformed target');
  return changes;
}

function isTarget(target: unknown): boolean {
  const { host, port } = (target ?? {}) as { readonly host?: unknown; readonly port?: unknown };
  return (
    typeof host === 'string' && (HOST_NAME.test(host) || isIP(host) !== 0) && isWithin(port, 0, MAX_PORT)
  );
}

function areTimeouts(timeouts: unknown): boolean {
  return (
    Array.isArray(timeouts) &&
    timeouts.length === 3 &&
    timeouts.every((timeout) => isWithin(timeout, 1, MAX_TIMEOUT_MS))
  );
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function matches(value: unknown, pattern: RegExp): boolean {
  return value === undefined || (typeof value === 'string' && pattern.test(value));
}

/** Throws SyntaxError on what is no JSON. */
export function readFailure(json: string): GuestError {
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
/** Longer ones would fill the worker's memory. */
const MAX_SOUND_LENGTH = 4096;

/** JSON that goes on to other guests and back: it must be what it claims to be. */
function readJson(text: string): string {
  if (text === '' || text === 'null' || soundTexts.has(text)) return text;
  if (typeof JSON.parse(text) !== 'object') throw new RangeError('malformed phase result');
  if (text.length > MAX_SOUND_LENGTH) return text;
  if (soundTexts.size >= MAX_SOUND_TEXTS) soundTexts.clear();
  soundTexts.add(text);
  return text;
}

/** What goes to the upstream is mostly who the client is: the same few lines over and over. */
const knownOperations = new Map<string, readonly string[]>();
const MAX_KNOWN_OPERATIONS = 1000;
const MAX_KNOWN_LENGTH = 1024;

/** As `readOperations`; a frozen list is the same one for every request that says the same. */
function readKnownOperations(line: string): readonly string[] | null {
  if (line === '' || line.length > MAX_KNOWN_LENGTH) return readOperations(line);
  let triples = knownOperations.get(line);
  if (triples === undefined) {
    triples = Object.freeze(readOperations(line) as readonly string[]);
    if (knownOperations.size >= MAX_KNOWN_OPERATIONS) knownOperations.clear();
    knownOperations.set(line, triples);
  }
  return triples;
}

function readOperations(line: string): readonly string[] | null {
  if (line === '') return null;
  const parts = line.split(OPERATION_SEPARATOR);
  // A guest that got around the SDK must still not be able to split a head in two.
  if (parts.length % 3 !== 0 || line.includes('\r')) throw new RangeError('malformed header operation');
  for (let at = 0; at < parts.length; at += 3) {
    if (!OPERATIONS.includes(parts[at] as string)) throw new RangeError('malformed header operation');
    parts[at + 1] = readName(parts[at + 1] as string);
  }
  return parts;
}

/** Plugins write the same few names over and over. */
const knownNames = new Map<string, string>();
const MAX_KNOWN_NAMES = 500;

function readName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!HEADER_NAME.test(name)) throw new RangeError('malformed header operation');
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, name);
  return name;
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 599;
}

/** Whether some plugin of the package may send requests to another server than the service's. */
export function mayRetarget({ plugins }: PackageManifest): boolean {
  return plugins.some(({ capabilities }) => capabilities.serviceTarget === true);
}
