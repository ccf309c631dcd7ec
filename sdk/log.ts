/** `kong.log`: lines in the gateway's log, with the plugin's name and the request id. Bounded per phase. */

export interface Logger {
  debug(...parts: readonly unknown[]): void;
  info(...parts: readonly unknown[]): void;
  notice(...parts: readonly unknown[]): void;
  warn(...parts: readonly unknown[]): void;
  err(...parts: readonly unknown[]): void;
  crit(...parts: readonly unknown[]): void;
}
