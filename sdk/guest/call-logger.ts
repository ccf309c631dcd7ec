/** `kong.log`: lines are kept with the call and go to the host when it ends. */
import type {
  DeprecationOptions,
  Logger,
  RecordSerializer,
  SerializedRecord,
  SerializeValueOptions,
} from '../log.ts';
import type { LogFacts } from '../protocol/phase-call.ts';
import type { LogLevel } from '../protocol/phase-result.ts';
import type { CallState } from './call-state.ts';
import { requireFullRecord } from './response-view.ts';
import { serializeRequest } from './serialize-request.ts';
import { checkSerializeValue, MAX_SERIALIZE_VALUES } from './serialize-values.ts';

/** Deprecations that have been told of. */
const told = new Set<string>();
const MAX_TOLD = 1000;

export class CallLogger implements Logger {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  debug(...parts: readonly unknown[]): void {
    this.#write('debug', parts);
  }

  info(...parts: readonly unknown[]): void {
    this.#write('info', parts);
  }

  notice(...parts: readonly unknown[]): void {
    this.#write('notice', parts);
  }

  warn(...parts: readonly unknown[]): void {
    this.#write('warn', parts);
  }

  err(...parts: readonly unknown[]): void {
    this.#write('err', parts);
  }

  crit(...parts: readonly unknown[]): void {
    this.#write('crit', parts);
  }

  alert(...parts: readonly unknown[]): void {
    this.#write('alert', parts);
  }

  emerg(...parts: readonly unknown[]): void {
    this.#write('emerg', parts);
  }

  deprecation(message: string, { after, removal }: DeprecationOptions = {}): void {
    const since = after === undefined ? '' : ` (deprecated after ${after})`;
    const until = removal === undefined ? '' : ` (scheduled for removal in ${removal})`;
    const text = `${message}${since}${until}`;
    const key = `${this.call.instance?.plugin.name}\n${text}`;
    if (told.has(key) || told.size >= MAX_TOLD) return;
    told.add(key);
    this.#write('warn', [text]);
  }

  inspect(...values: readonly unknown[]): void {
    this.#write('debug', [values.map(show).join(' ')]);
  }

  setSerializeValue(key: string, value: unknown, { mode = 'set' }: SerializeValueOptions = {}): void {
    const { call } = this;
    const checked = checkSerializeValue(key, value, mode);
    call.serializeValues ??= [];
    if (call.serializeValues.length >= MAX_SERIALIZE_VALUES)
      throw new RangeError(`more than ${MAX_SERIALIZE_VALUES} values for one record`);
    call.serializeValues.push(checked);
  }

  #write(level: LogLevel, parts: readonly unknown[]): void {
    this.call.log(level, parts.map(String).join(''));
  }
}

export class SerializingLogger extends CallLogger implements RecordSerializer {
  readonly #facts: LogFacts;

  constructor(call: CallState, facts: LogFacts) {
    super(call);
    this.#facts = facts;
  }

  serialize(): SerializedRecord {
    requireFullRecord(this.call);
    return serializeRequest(this.call, this.#facts);
  }
}

/** Never throws, whatever it is. */
function show(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? `"${value}"` : String(value);
  try {
    return JSON.stringify(value, undefined, 2);
  } catch (error) {
    return `(${String(error)})`;
  }
}
