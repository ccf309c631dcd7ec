/** The table a run prints: Markdown, aligned so that it also reads well in a terminal. */
import type { Spread, SummaryRow } from './summarize-samples.ts';

const HEADINGS = [
  'scenario',
  'subject',
  'req/s',
  'p50 ms',
  'p99 ms',
  'CPU µs/req',
  '÷ nginx',
  'RSS MB',
  'failed',
];
const UNKNOWN = '–';

/** Medians, with least and most in brackets where they matter. Parts of a subject follow it, marked with `·`. */
export function renderTable(rows: readonly SummaryRow[]): string {
  const cells = [HEADINGS, ...rows.flatMap((row) => [renderRow(row), ...renderParts(row)])];
  const widths = HEADINGS.map((_heading, column) =>
    Math.max(...cells.map((line) => (line[column] ?? '').length)),
  );
  const lines = cells.map((line) => renderLine(line, widths));
  const rule = `| ${widths.map((width, column) => (column < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function renderRow(row: SummaryRow): string[] {
  return [
    row.scenario,
    row.subject,
    withRange(row.requestsPerSecond, 0),
    row.p50Ms.median.toFixed(2),
    withRange(row.p99Ms, 2),
    row.cpuMicros ? withRange(row.cpuMicros, 1) : UNKNOWN,
    row.cpuRatio ? withRange(row.cpuRatio, 2) : UNKNOWN,
    row.residentBytes ? megabytes(row.residentBytes) : UNKNOWN,
    String(row.failures),
  ];
}

function renderParts({ parts }: SummaryRow): string[][] {
  return parts.map((part) => [
    '',
    `· ${part.part}`,
    '',
    '',
    '',
    withRange(part.cpuMicros, 1),
    '',
    megabytes(part.residentBytes),
    '',
  ]);
}

/** Names to the left, figures to the right. */
function renderLine(line: readonly string[], widths: readonly number[]): string {
  const padded = line.map((cell, column) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
  );
  return `| ${padded.join(' | ')} |`;
}

function withRange({ median, least, most }: Spread, digits: number): string {
  const text = median.toFixed(digits);
  return least === most ? text : `${text} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

function megabytes({ median }: Spread): string {
  return (median / 1_000_000).toFixed(0);
}
