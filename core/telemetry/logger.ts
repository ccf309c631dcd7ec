/** The gateway's own log: JSON lines on standard output, with Kong's level names and without credentials. */
import { format } from 'node:util';
import { type DestinationStream, destination, type LogFn, type Logger, type LoggerOptions, pino } from 'pino';
import { censorText, censorValue } from './censor.ts';

/** pino's levels, and `notice` between `info` and `warn`. Kong's `crit` is `fatal`. */
export type GatewayLogger = Logger<'notice'>;

/** Kong's level names, as the `log_level` setting spells them. */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit';

/** Those that can be asked for while the node runs: Kong has two more, which nothing here is logged at. */
export type KongLogLevel = LogLevel | 'alert' | 'emerg';

export type ProcessRole = 'control' | 'data-plane' | 'worker';

const NOTICE_RANK = 35;
const PINO_LEVEL: Readonly<Record<KongLogLevel, string>> = {
  debug: 'debug',
  info: 'info',
  notice: 'notice',
  warn: 'warn',
  error: 'error',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
};

const reverts = new WeakMap<object, NodeJS.Timeout>();

/** Shows lines of `level` and above for a time in seconds, unless changed again, and then those of `initial`. */
export function changeLevelFor(
  logger: { level: string },
  level: KongLogLevel,
  timeoutSeconds: number,
  initial: LogLevel,
): void {
  clearTimeout(reverts.get(logger));
  logger.level = PINO_LEVEL[level];
  const revert = () => {
    logger.level = PINO_LEVEL[initial];
  };
  reverts.set(logger, setTimeout(revert, timeoutSeconds * 1000).unref());
}

/**
 * A logger for one thread or process. Lines carry `pid` and `role`; credentials in details, messages and errors are
 * blanked out (censor.ts). Lines are written at once, so that none is lost when the process ends.
 */
export function createLogger(
  level: LogLevel,
  role: ProcessRole,
  output: DestinationStream = destination({ fd: 1, sync: true }),
): GatewayLogger {
  const options: LoggerOptions<'notice'> = {
    level: PINO_LEVEL[level],
    customLevels: { notice: NOTICE_RANK },
    base: { pid: process.pid, role },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    // What arrives here is plain already; the usual serialiser would take it for an error again.
    serializers: { err: (value: unknown) => value },
    hooks: { logMethod: writeCensored },
  };
  return pino<'notice'>(options, output);
}

/** Pino's own forms: details and message, an error and message, or a message with values for its placeholders. */
function writeCensored(this: Logger, args: Parameters<LogFn>, write: LogFn): void {
  const [first, ...rest] = args as unknown[];
  const hasDetails = typeof first === 'object' && first !== null;
  const [text, ...values] = hasDetails ? rest : [first, ...rest];
  const details = first instanceof Error ? { err: first } : hasDetails ? first : {};
  const { err } = details as { readonly err?: unknown };
  const fallback = err instanceof Error ? err.message : undefined;
  const message = text === undefined ? fallback : format(text, ...values);
  write.call(this, censorValue(details), message === undefined ? undefined : censorText(message));
}
