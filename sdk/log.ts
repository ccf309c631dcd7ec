/** `kong.log`: lines in the gateway's log, with the plugin's name and the request id. Bounded per phase. */

/** Phases: all. Parts become text as `String` makes it, and are joined without a gap. */
export interface Logger {
  /** Shown where the node logs at `debug`. */
  debug(...parts: readonly unknown[]): void;
  /** Of interest when looking for something. */
  info(...parts: readonly unknown[]): void;
  /** Worth knowing; shown by default. */
  notice(...parts: readonly unknown[]): void;
  /** Something is odd, and works. */
  warn(...parts: readonly unknown[]): void;
  /** Something has failed. */
  err(...parts: readonly unknown[]): void;
  /** Something has failed that others rely on. */
  crit(...parts: readonly unknown[]): void;
}
