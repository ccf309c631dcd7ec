/** `node bench/compare.ts before.json after.json [--tolerance 10]`: did CPU per request, against nginx, get worse? */
import { parseArgs } from 'node:util';
import { compareResults, renderComparison } from './compare-results.ts';
import { readResultFile } from './result-file.ts';

process.exitCode = main();

/** Returns the exit code: 0 no regression, 1 regression, 2 wrong usage or files that cannot be compared. */
function main(): number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { tolerance: { type: 'string', default: '10' } },
    });
    const [before, after] = positionals;
    const tolerancePercent = Number(values.tolerance);
    if (before === undefined || after === undefined || !(tolerancePercent > 0)) {
      throw new Error('Usage: node bench/compare.ts before.json after.json [--tolerance percent]');
    }
    const changes = compareResults(readResultFile(before), readResultFile(after), tolerancePercent);
    if (changes.length === 0) throw new Error('the two results have no scenario with CPU figures in common');
    console.log(renderComparison(changes, tolerancePercent));
    return changes.some(({ verdict }) => verdict === 'regressed') ? 1 : 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
}
