/** Everything the guest knows of one call of one phase: the request as handed over, and the effects recorded so far. */
import type { Consumer, Credential } from '../client.ts';
import type { PhaseName } from '../protocol/manifest.ts';
import { CALL_HEADERS_START, CALL_LINES } from '../protocol/phase-call.ts';
import type { BodyKind, LogLine, RequestChanges } from '../protocol/phase-result.ts';
import type { GuestPlan } from '../protocol/plan.ts';
import type { LoadedInstance } from './configuration.ts';

const MAX_LOG_LINES = 64;

/** Counts the calls that could still run without the host doing anything. */
export const motion = { count: 0 };

export class CallState {
  readonly id: number;
  readonly phase: PhaseName;
  readonly plan: GuestPlan;
  /** Fixed lines of the call (protocol/phase-call.ts). */
  readonly lines: readonly string[];
  /** Header lines, each preceded by a line feed. */
  readonly headersText: string;

  picks: number[] = [];
  instance: LoadedInstance | undefined;
  consumer: Consumer | null;
  credential: Credential | null;
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

  constructor(id: number, phase: PhaseName, plan: GuestPlan, payload: string) {
    this.id = id;
    this.phase = phase;
    this.plan = plan;
    this.lines = payload.split('\n', CALL_HEADERS_START);
    let headersAt = CALL_HEADERS_START;
    for (const line of this.lines) headersAt += line.length;
    this.headersText = payload.slice(headersAt - 1);
    this.consumer = parseOptional<Consumer>(this.line(CALL_LINES.consumer));
    this.credential = parseOptional<Credential>(this.line(CALL_LINES.credential));
  }

  /** Counts the call as one that can run. Separate from the constructor, which a time limit may interrupt. */
  start(): void {
    motion.count++;
  }

  line(index: number): string {
    return this.lines[index] ?? '';
  }

  get hasExited(): boolean {
    return this.exitStatus !== 0;
  }

  sharedContext(): Record<string, unknown> {
    this.shared ??= parseOptional<Record<string, unknown>>(this.line(CALL_LINES.shared)) ?? {};
    return this.shared;
  }

  log(level: LogLine['level'], message: string): void {
    this.logLines ??= [];
    if (this.logLines.length >= MAX_LOG_LINES) return;
    this.logLines.push({ level, plugin: this.instance?.plugin.name ?? '', message: message.slice(0, 8192) });
  }

  /** Suspends the call until `promise` settles, so that the host knows there is nothing to run meanwhile. */
  suspend<Value>(promise: Promise<Value>): Promise<Value> {
    if (this.#waits++ === 0 && !this.isFinished) motion.count--;
    return promise.then(
      (value) => {
        this.#wake();
        return value;
      },
      (error: unknown) => {
        this.#wake();
        throw error;
      },
    );
  }

  /** Takes the call out of the count of those in motion, whatever state it is in. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    if (this.#waits === 0) motion.count--;
  }

  #wake(): void {
    if (--this.#waits === 0 && !this.isFinished) motion.count++;
  }
}

function parseOptional<Value>(json: string): Value | null {
  return json === '' ? null : (JSON.parse(json) as Value);
}
