/**
 * Guest → host: the outcome of a phase as nine lines; whatever follows the last is the body of an answer.
 *
 * 1. picks
 * 2. consumer, as JSON; empty for unchanged, `null` clears
 * 3. credential, likewise
 * 4. shared, likewise
 * 5. JSON of `RequestChanges`, or empty
 * 6. header operations for the service
 * 7. header operations for the client
 * 8. status code of an answer; 0 when there is none
 * 9. kind of its body. `error`: a message to be negotiated, empty for the usual one of the status; `json`: compact JSON;
 *    `text`: as it is; empty: none
 *
 * A line of header operations holds `s` (set), `a` (add) or `r` (remove), name and value of each, all separated by NUL,
 * which can be in none of them; it is empty without any.
 */

/** Between the parts of header operations. */
export const OPERATION_SEPARATOR = '\0';

/** Rarely used changes to the request for the upstream, and to where and how it is sent. */
export interface RequestChanges {
  readonly method?: string;
  readonly path?: string;
  readonly rawQuery?: string;
  /** latin1 text of the new body. */
  readonly body?: string;
  readonly scheme?: 'http' | 'https';
  /** In place of the service's own: a name or an address (IPv6 without brackets). */
  readonly target?: { readonly host: string; readonly port: number };
  readonly retries?: number;
  /** In ms: connecting, writing, reading. */
  readonly timeouts?: readonly [connect: number, write: number, read: number];
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
