/** Log lines as a guest hands them over. */
import type { LogLine } from '../../sdk/protocol/phase-result.ts';

const LEVELS: readonly string[] = ['debug', 'info', 'notice', 'warn', 'err', 'crit', 'alert', 'emerg'];

/** Throws on anything but a list of lines of text. */
export function decodeLogLines(payload: string): readonly LogLine[] {
  const lines = JSON.parse(payload) as readonly LogLine[];
  const isWellFormed =
    Array.isArray(lines) &&
    lines.every(
      (line: LogLine | null) =>
        typeof line?.message === 'string' &&
        LEVELS.includes(line.level) &&
        typeof line.plugin === 'string' &&
        typeof line.requestId === 'string',
    );
  if (!isWellFormed) throw new RangeError('malformed log lines');
  return lines;
}
