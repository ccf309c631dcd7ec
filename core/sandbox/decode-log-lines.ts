/** Log lines as a guest hands them over. */
import type { LogLine } from '../../sdk/protocol/phase-result.ts';

/** Throws on anything but a list of lines of text. */
export function decodeLogLines(payload: string): readonly LogLine[] {
  const lines = JSON.parse(payload) as readonly LogLine[];
  const isWellFormed =
    Array.isArray(lines) &&
    lines.every(
      (line: LogLine | null) =>
        typeof line?.message === 'string' &&
        typeof line.level === 'string' &&
        typeof line.plugin === 'string' &&
        typeof line.requestId === 'string',
    );
  if (!isWellFormed) throw new RangeError('malformed log lines');
  return lines;
}
