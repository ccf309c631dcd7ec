/** Everything the guest knows of one call of one phase: the request as handed over, and the effects recorded so far. */
import type { Consumer, Credential } from '../client.ts';
import { MAX_ENTRIES_PER_CALL } from '../protocol/background.ts';
import type { PhaseName } from '../protocol/manifest.ts';
import { REQUEST_LINE_COUNT, REQUEST_LINES, STATE_LINE_COUNT } from '../protocol/phase-call.ts';
import type { BodyKind, LogLine, RequestChanges } from '../protocol/phase-result.ts';
import type { GuestPlan } from '../protocol/plan.ts';
import type { CallTrace } from './call-trace.ts';
import type { LoadedInstance } from './configuration.ts';
import { SERIALIZE_MEMBER, type SerializeValue } from './serialize-values.ts';

const MAX_LOG_LINES = 64;
/** Rows one phase of one request may ask the host for: the host cannot count what requests share. */
const MAX_LOOKUPS = 100;
/** State lines of the first package of a request. */
const NO_STATE = '\n'.repeat(STATE_LINE_COUNT);

const NO_UPSTREAMS: ReadonlySet<string> = new Set();

/** Counts the calls that could still run without the host doing anything. */
export const motion = { count: 0 };

/** Handlers that are no phase: of bodies as they pass, and of what belongs to no request. */
type HandlerName = 'transformRequest' | 'transformResponse' | 'onBatch' | 'timers' | 'configure';

export class CallState {
  /** Another one for each piece of a body. */
  id: number;
  readonly phase: PhaseName | HandlerName;
  readonly plan: GuestPlan;
  /** Phase-specific rest of the first line (protocol/phase-call.ts). */
  readonly phaseFacts: string;
  /** Header lines, each preceded by a line feed, behind everything else of the call. */
  readonly text: string;
  readonly #requestAt: number;
  #requestLines: readonly string[] | undefined;

  /** Numbers of the instances that run in `response` and `log`. */
  readonly picks: readonly number[] = NO_PICKS;
  /** Numbers of the instances collected in `access`, as they go over the wire. */
  collected = '';
  instance: LoadedInstance | undefined;
  /** Names of those there are. */
  upstreams: ReadonlySet<string> = NO_UPSTREAMS;
  consumer: Consumer | null = null;
  credential: Credential | null = null;
  hasAuthenticated = false;
  shared: Record<string, unknown> | undefined;
  changes: { -readonly [Key in keyof RequestChanges]: RequestChanges[Key] } | undefined;
  /** Header operations as they go over the wire (protocol/phase-result.ts). */
  serviceOperations = '';
  responseOperations = '';
  exitStatus = 0;
  exitKind: BodyKind = '';
  exitBody = '';
  /** For the record of the request, by whichever plugins. */
  serializeValues: SerializeValue[] | undefined;
  /** Status set without answering. */
  newStatus = 0;
  /** latin1 text of the client's body once a plugin has read it. */
  bodyBytes: string | undefined;
  /** Undefined where the host records nothing, until a plugin asks for a trace. */
  trace: CallTrace | undefined;
  logLines: LogLine[] | undefined;
  isFinished = false;
  #waits = 0;
  #lookups = 0;
  #entries = 0;

  constructor(
    id: number,
    phase: CallState['phase'],
    plan: GuestPlan,
    phaseFacts: string,
    text: string,
    stateAt: number,
  ) {
    this.id = id;
    this.phase = phase;
    this.plan = plan;
    this.phaseFacts = phaseFacts;
    this.text = text;
    if (text.startsWith(NO_STATE, stateAt)) {
      this.#requestAt = stateAt + NO_STATE.length;
      return;
    }
    const picksEnd = text.indexOf('\n', stateAt);
    const consumerEnd = text.indexOf('\n', picksEnd + 1);
    const credentialEnd = text.indexOf('\n', consumerEnd + 1);
    const sharedEnd = text.indexOf('\n', credentialEnd + 1);
    this.#requestAt = sharedEnd + 1;
    if (phase !== 'rewrite' && phase !== 'access') this.picks = parsePicks(text.slice(stateAt, picksEnd));
    this.consumer = parseIdentity<Consumer>(text.slice(picksEnd + 1, consumerEnd));
    this.credential = parseIdentity<Credential>(text.slice(consumerEnd + 1, credentialEnd));
    if (sharedEnd > credentialEnd + 1) this.#readShared(text.slice(credentialEnd + 1, sharedEnd));
  }

  #readShared(json: string): void {
    const shared = JSON.parse(json) as Record<string, unknown>;
    const values = shared[SERIALIZE_MEMBER];
    if (Array.isArray(values)) {
      this.serializeValues = values as SerializeValue[];
      delete shared[SERIALIZE_MEMBER];
    }
    this.shared = shared;
  }

  /** JSON of what plugins leave for each other; '' for nothing. */
  encodeShared(): string {
    if (this.serializeValues !== undefined)
      return JSON.stringify({ ...this.shared, [SERIALIZE_MEMBER]: this.serializeValues });
    return this.shared === undefined ? '' : JSON.stringify(this.shared);
  }

  /** The instance takes part in the request: its later phases will run. */
  collect(number: number): void {
    this.collected += this.collected === '' ? number : `,${number}`;
  }

  /** Counts the call as one that can run. Separate from the constructor, which a time limit may interrupt. */
  start(): void {
    motion.count++;
  }

  /** One of REQUEST_LINES. */
  line(index: number): string {
    this.#requestLines ??= this.text.slice(this.#requestAt).split('\n', REQUEST_LINE_COUNT);
    return this.#requestLines[index] ?? '';
  }

  /** Without `?`, as plugins have made it. */
  get rawQuery(): string {
    const changed = this.changes?.rawQuery;
    if (changed !== undefined) return changed;
    return (this.line(REQUEST_LINES.changedQuery) || this.line(REQUEST_LINES.rawQuery)).slice(1);
  }

  get hasExited(): boolean {
    return this.exitStatus !== 0;
  }

  sharedContext(): Record<string, unknown> {
    this.shared ??= {};
    return this.shared;
  }

  log(level: LogLine['level'], message: string): void {
    this.logLines ??= [];
    if (this.logLines.length >= MAX_LOG_LINES) return;
    this.logLines.push({
      level,
      plugin: this.instance?.plugin.name ?? '',
      requestId: this.line(REQUEST_LINES.requestId),
      message: message.slice(0, 8192),
    });
  }

  /** The call waits for the host: there is nothing to run until `wake`. */
  pause(): void {
    if (this.#waits++ === 0 && !this.isFinished) motion.count--;
  }

  wake(): void {
    if (--this.#waits === 0 && !this.isFinished) motion.count++;
  }

  /** Throws when the call has asked for too many rows. */
  countLookup(): void {
    if (++this.#lookups > MAX_LOOKUPS) throw new Error('too many host calls');
  }

  /** Throws when the call has queued too many entries. */
  countEntry(): void {
    if (++this.#entries > MAX_ENTRIES_PER_CALL)
      throw new RangeError(`more than ${MAX_ENTRIES_PER_CALL} entries for the queue in one call`);
  }

  /** The call goes on under another number, with all limits anew. What it still waits for it goes on waiting for. */
  reopen(id: number): void {
    this.id = id;
    this.logLines = undefined;
    this.#lookups = 0;
    this.#entries = 0;
    if (!this.isFinished) return;
    this.isFinished = false;
    if (this.#waits === 0) motion.count++;
  }

  /** Takes the call out of the count of those in motion, whatever state it is in. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    if (this.#waits === 0) motion.count--;
  }
}

/** The same few identities and picks come back with every log record. */
const KNOWN_LIMIT = 1000;
const knownIdentities = new Map<string, unknown>();
const knownPicks = new Map<string, readonly number[]>();
const NO_PICKS: readonly number[] = [];

function parseIdentity<Value>(json: string): Value | null {
  if (json === '') return null;
  let identity = knownIdentities.get(json);
  if (identity === undefined) {
    identity = JSON.parse(json);
    remember(knownIdentities, json, identity);
  }
  return identity as Value;
}

function parsePicks(text: string): readonly number[] {
  if (text === '') return NO_PICKS;
  let picks = knownPicks.get(text);
  if (picks === undefined) {
    picks = text.split(',').map(Number);
    remember(knownPicks, text, picks);
  }
  return picks;
}

function remember<Value>(known: Map<string, Value>, text: string, value: Value): void {
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(text, value);
}
