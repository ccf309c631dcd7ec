/** `kong.log`: lines are kept with the call and go to the host when it ends. */
import type { Logger } from '../log.ts';
import type { LogLevel } from '../protocol/phase-result.ts';
import type { CallState } from './call-state.ts';

export class CallLogger implements Logger {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
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

  #write(level: LogLevel, parts: readonly unknown[]): void {
    this.#call.log(level, parts.map(String).join(''));
  }
}
