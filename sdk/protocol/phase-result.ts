/**
 * Guest → host: the outcome of a phase as lines. A line of header operations holds `s` (set), `a` (add) or `r`
 * (remove), name and value of each, all separated by NUL, which can be in none of them; it is empty without any.
 */

/** The first nine lines of a result; whatever follows the last is the body of an answer. */
export const RESULT_LINES = {
  picks: 0,
  /** JSON, or empty for unchanged. `null` clears. */
  consumer: 1,
  credential: 2,
  shared: 3,
  /** JSON of `RequestChanges`, or empty. */
  changes: 4,
  serviceOperations: 5,
  responseOperations: 6,
  /** Of an answer: status code. 0 when there is none. */
  status: 7,
  /** `error`: the body is a message to be negotiated, empty for the usual one of the status; `json`: compact JSON; `text`: as it is; empty: none. */
  bodyKind: 8,
} as const;

export const RESULT_LINE_COUNT = 9;
/** Between the parts of header operations. */
export const OPERATION_SEPARATOR = '\0';

/** Rarely used changes to the request for the upstream. */
export interface RequestChanges {
  readonly method?: string;
  readonly path?: string;
  readonly rawQuery?: string;
  /** latin1 text of the new body. */
  readonly body?: string;
}

export type BodyKind = 'error' | 'json' | 'text' | '';

export interface GuestError {
  readonly plugin: string;
  readonly phase: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'err' | 'crit' | 'alert' | 'emerg';

export interface LogLine {
  readonly level: LogLevel;
  readonly plugin: string;
  /** Empty where the call holds no request: in the log phase of plugins content with a summary. */
  readonly requestId: string;
  readonly message: string;
}
