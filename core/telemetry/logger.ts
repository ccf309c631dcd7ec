/** The gateway's own log: JSON lines on standard output, with Kong's level names and credentials blanked out. */
import { type DestinationStream, destination, type Logger, pino } from 'pino';

/** pino's levels, and `notice` between `info` and `warn`. Kong's `crit` is `fatal`. */
export type GatewayLogger = Logger<'notice'>;

/** Kong's level names, as the `log_level` setting spells them. */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit';

export type ProcessRole = 'control' | 'worker';

const NOTICE_RANK = 35;
const PINO_LEVEL: Readonly<Record<LogLevel, string>> = {
  debug: 'debug',
  info: 'info',
  notice: 'notice',
  warn: 'warn',
  error: 'error',
  crit: 'fatal',
};

const SECRET_MEMBERS = ['apikey', 'authorization', 'password', '["proxy-authorization"]', 'cookie'];
const SECRET_PATHS = SECRET_MEMBERS.flatMap((member) => {
  const below = member.startsWith('[') ? `*${member}` : `*.${member}`;
  return [member, below, `*.${below}`];
});

/**
 * A logger for one thread or process. Lines carry `pid` and `role`; a member called apikey, authorization,
 * proxy-authorization, cookie or password is replaced, up to two objects deep. Lines are written at once, so
 * that none is lost when the process ends.
 */
export function createLogger(
  level: LogLevel,
  role: ProcessRole,
  output: DestinationStream = destination({ fd: 1, sync: true }),
): GatewayLogger {
  const options = {
    level: PINO_LEVEL[level],
    customLevels: { notice: NOTICE_RANK },
    base: { pid: process.pid, role },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: SECRET_PATHS, censor: '******' },
  };
  return pino<'notice'>(options, output);
}
