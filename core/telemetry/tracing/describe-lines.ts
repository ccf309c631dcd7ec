/** From the lines a request left in the log to records for export. */
import type { GatewayLogger } from '../logger.ts';
import type { TracedRequest } from './describe-spans.ts';
import type { LogRecord, Severity } from './log-record.ts';
import type { RequestTrace } from './request-trace.ts';

const PINO_LEVELS: Readonly<Record<Severity, string>> = {
  debug: 'debug',
  info: 'info',
  notice: 'notice',
  warn: 'warn',
  err: 'error',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
};

/** What the node does not log is not exported either. */
export function describeLines(
  trace: RequestTrace,
  { requestId }: TracedRequest,
  logger: Pick<GatewayLogger, 'isLevelEnabled'>,
): readonly LogRecord[] {
  const { traceId, spanId, isSampled, isMadeUp } = trace;
  const identity = isMadeUp ? { traceId: '', spanId: '' } : { traceId, spanId };
  return trace.lines
    .filter(
      ({ severity }) => Object.hasOwn(PINO_LEVELS, severity) && logger.isLevelEnabled(PINO_LEVELS[severity]),
    )
    .map((line) => ({ ...line, ...identity, requestId, isSampled }));
}
