/** A line a request left in the log, as it is exported: plain data, before any library. */

/** Kong's names. */
export type Severity = 'debug' | 'info' | 'notice' | 'warn' | 'err' | 'crit' | 'alert' | 'emerg';

export interface LogRecord {
  /** Unix time in ms with fractions. */
  readonly atMs: number;
  readonly severity: Severity;
  readonly message: string;
  /** Name of the plugin that said it; '' for the gateway. */
  readonly plugin: string;
  readonly requestId: string;
  /** '' where the request belongs to no trace. */
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}
