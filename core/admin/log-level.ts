/** `/debug/node/log-level` and `/debug/cluster/log-level`: a louder log for a while (contract/admin-api.md section 6). */
import { type AdminAnswer, type AdminRequest, answerMessage, type Endpoint } from './admin-exchange.ts';
import { argumentText } from './parse-arguments.ts';

/** Kong's levels, loudest first, and the level of our logger that shows them (core/telemetry/logger.ts). */
const LOGGER_LEVELS = {
  debug: 'debug',
  info: 'info',
  notice: 'notice',
  warn: 'warn',
  error: 'error',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
} as const;

type LogLevel = keyof typeof LOGGER_LEVELS;

const LEVEL_NAMES = Object.keys(LOGGER_LEVELS) as LogLevel[];

const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_TIMEOUT_SECONDS = 2_000_000;

export interface LogLevelControl {
  /** The gateway's logger, whose `level` can be set. */
  readonly logger: { level: string };
  /** Tells the other processes of the node and, with scope `cluster`, the other nodes. */
  readonly announce?: AnnounceLogLevel | undefined;
}

/** `level` is a Kong name and holds for `timeoutSeconds`. */
export type AnnounceLogLevel = (
  level: LogLevel,
  scope: 'node' | 'cluster',
  timeoutSeconds: number,
) => Promise<void>;

const isLogLevel = (text: string): text is LogLevel => Object.hasOwn(LOGGER_LEVELS, text);

/** The endpoints share one current level, which goes back to the initial one when the time is over. */
export function logLevelEndpoints(control: LogLevelControl): Endpoint[] {
  const initial = LEVEL_NAMES.find((name) => LOGGER_LEVELS[name] === control.logger.level) ?? 'notice';
  let current = initial;
  let revert: NodeJS.Timeout | undefined;

  const apply = (level: LogLevel) => {
    current = level;
    control.logger.level = LOGGER_LEVELS[level];
  };

  const change = async (request: AdminRequest, scope: 'node' | 'cluster'): Promise<AdminAnswer> => {
    const level = request.captures[0] ?? '';
    const timeoutSeconds = readTimeoutSeconds(argumentText(request.query, 'timeout'));
    if (timeoutSeconds < 0) return answerMessage(400, 'timeout must be greater than or equal to 0');
    if (!isLogLevel(level)) return answerMessage(400, `unknown log level: ${level}`);
    if (scope === 'node' && level === current) return answerMessage(200, `log level is already ${level}`);
    clearTimeout(revert);
    apply(level);
    revert = setTimeout(apply, timeoutSeconds * 1000, initial).unref();
    await control.announce?.(level, scope, timeoutSeconds);
    return answerMessage(200, 'log level changed');
  };

  return [
    {
      template: '/debug/node/log-level',
      methods: { GET: () => answerMessage(200, `log level: ${current}`) },
    },
    {
      template: '/debug/node/log-level/{log_level}',
      methods: { PUT: (request) => change(request, 'node') },
    },
    {
      template: '/debug/cluster/log-level/{log_level}',
      methods: { PUT: (request) => change(request, 'cluster') },
    },
  ];
}

function readTimeoutSeconds(text: string | undefined): number {
  const seconds = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(seconds) ? DEFAULT_TIMEOUT_SECONDS : Math.min(seconds, MAX_TIMEOUT_SECONDS);
}
