/** Everything the guest knows of one call of one phase: the request as handed over, and the effects recorded so far. */
import type { Consumer, Credential } from '../client.ts';
import type { PhaseName } from '../protocol/manifest.ts';
import { REQUEST_LINE_COUNT, STATE_LINE_COUNT, STATE_LINES } from '../protocol/phase-call.ts';
import type { BodyKind, LogLine, RequestChanges } from '../protocol/phase-result.ts';
import type { GuestPlan } from '../protocol/plan.ts';
import type { LoadedInstance } from './configuration.ts';

const MAX_LOG_LINES = 64;
/** Rows one phase of one request may ask the host for: the host cannot count what requests share. */
const MAX_LOOKUPS = 100;
/** State lines of the first package of a request. */
const NO_STATE = '\n'.repeat(STATE_LINE_COUNT);

/** Counts the calls that could still run without the host doing anything. */
export const motion = { count: 0 };

export class CallState {
  readonly id: number;
  readonly phase: PhaseName;
  readonly plan: GuestPlan;
  /** Phase-specific rest of the first line (protocol/phase-call.ts). */
  readonly phaseFacts: string;
  /** Header lines, each preceded by a line feed, behind everything else of the call. */
  readonly text: string;
  readonly #requestAt: number;
  #requestLines: readonly string[] | undefined;

  picks: number[] = [];
  instance: LoadedInstance | undefined;
  consumer: Consumer | null = null;
  credential: Credential | null = null;
  hasAuthenticated = false;
  shared: Record<string, unknown> | undefined;
  changes: { -readonly [Key in keyof RequestChanges]: RequestChanges[Key] } | undefined;
  /** Triples [op, name, value] as they go over the wire. */
  readonly serviceTriples: string[] = [];
  readonly responseTriples: string[] = [];
  exitStatus = 0;
  exitKind: BodyKind = '';
  exitBody = '';
  /** Status set without answering (response phase). */
  newStatus = 0;
  /** latin1 text of the client's body once a plugin has read it. */
  bodyBytes: string | undefined;
  logLines: LogLine[] | undefined;
  isFinished = false;
  #waits = 0;
  #lookups = 0;

  constructor(
    id: number,
    phase: PhaseName,
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
    const state = text.slice(stateAt).split('\n', STATE_LINE_COUNT);
    this.#requestAt = state.reduce((at, line) => at + line.length + 1, stateAt);
    const picks = state[STATE_LINES.picks] ?? '';
    if (phase !== 'access' && picks !== '') this.picks = picks.split(',').map(Number);
    this.consumer = parseIdentity<Consumer>(state[STATE_LINES.consumer]);
    this.credential = parseIdentity<Credential>(state[STATE_LINES.credential]);
    this.shared = parseOptional<Record<string, unknown>>(state[STATE_LINES.shared]) ?? undefined;
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
    this.logLines.push({ level, plugin: this.instance?.plugin.name ?? '', message: message.slice(0, 8192) });
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

  /** Takes the call out of the count of those in motion, whatever state it is in. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    if (this.#waits === 0) motion.count--;
  }
}

/** The same few identities come back with every log record. */
const knownIdentities = new Map<string, unknown>();
const MAX_KNOWN_IDENTITIES = 1000;

function parseIdentity<Value>(json: string | undefined): Value | null {
  if (json === undefined || json === '') return null;
  let identity = knownIdentities.get(json);
  if (identity === undefined) {
    identity = JSON.parse(json);
    if (knownIdentities.size >= MAX_KNOWN_IDENTITIES) knownIdentities.clear();
    knownIdentities.set(json, identity);
  }
  return identity as Value;
}

function parseOptional<Value>(json: string | undefined): Value | null {
  return json === undefined || json === '' ? null : (JSON.parse(json) as Value);
}
