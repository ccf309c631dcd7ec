/** The chart of a run: CPU per request as horizontal bars, one group a scenario. SVG without scripts or fonts. */
import type { SummaryRow } from './summarize-samples.ts';

const WIDTH = 760;
const LABEL_WIDTH = 110;
const VALUE_WIDTH = 190;
const BAR_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const BAR_HEIGHT = 20;
const ROW_HEIGHT = 30;
const GROUP_HEIGHT = 38;
const TOP = 56;
const BOTTOM = 34;

/** Follows the reader's light or dark preference; both keep text at a contrast of at least 4.5 to 1. */
const STYLE = `
  svg { font: 13px system-ui, sans-serif; }
  .ground { fill: #ffffff; }
  text { fill: #1f2328; }
  .quiet { fill: #59636e; }
  .bar { fill: #8c959f; }
  .own { fill: #0969da; }
  .range { stroke: #1f2328; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .bar { fill: #656c76; }
    .own { fill: #4493f8; }
    .range { stroke: #f0f6fc; }
  }`;

type MeasuredRow = SummaryRow & { readonly cpuMicros: NonNullable<SummaryRow['cpuMicros']> };

/** Rows whose CPU could not be seen are left out. `caption` says where and how the figures were taken. */
export function renderChart(rows: readonly SummaryRow[], caption: string): string {
  const measured = rows.filter((row): row is MeasuredRow => row.cpuMicros !== undefined);
  const scenarios = [...new Set(measured.map((row) => row.scenario))];
  const longest = Math.max(1, ...measured.map((row) => row.cpuMicros.most));
  const height = TOP + scenarios.length * GROUP_HEIGHT + measured.length * ROW_HEIGHT + BOTTOM;
  let y = TOP;
  const groups = scenarios.map((scenario) => {
    const heading = `<text x="16" y="${y + 20}" font-weight="600">${escapeText(scenario)}</text>`;
    y += GROUP_HEIGHT - 6;
    const bars = measured
      .filter((row) => row.scenario === scenario)
      .map((row) => {
        const bar = renderBar(row, y, BAR_WIDTH / longest);
        y += ROW_HEIGHT;
        return bar;
      });
    y += 6;
    return [heading, ...bars].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
<title id="title">CPU microseconds per request</title>
<style>${STYLE}
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
<text x="16" y="30" font-size="16" font-weight="600">CPU µs per request, less is better</text>
<text class="quiet" x="16" y="48">median, line from least to most; × = ratio to nginx in the same round</text>
${groups.join('\n')}
<text class="quiet" x="16" y="${height - 14}">${escapeText(caption)}</text>
</svg>
`;
}

function renderBar({ subject, cpuMicros, cpuRatio }: MeasuredRow, y: number, scale: number): string {
  const length = round(cpuMicros.median * scale);
  const middle = y + BAR_HEIGHT / 2;
  const from = round(LABEL_WIDTH + cpuMicros.least * scale);
  const to = round(LABEL_WIDTH + cpuMicros.most * scale);
  const ratio = cpuRatio ? ` · ${cpuRatio.median.toFixed(2)} ×` : '';
  const label = `${cpuMicros.median.toFixed(1)} µs${ratio}`;
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle + 5}" text-anchor="end">${escapeText(subject)}</text>`,
    `<rect class="${subject === 'tollgate' ? 'own' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${length}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<line class="range" x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${Math.max(to, LABEL_WIDTH + length) + 10}" y="${middle + 5}">${escapeText(label)}</text>`,
  ].join('\n');
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
