/** Ends a test run with one plain line, `N passed, N failed`, that a person or a script can read. */
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** Files that could not be loaded and errors outside of tests count as failed, so that 0 failed means success. */
function countResults(
  modules: readonly TestModule[],
  strayErrors: number,
): { passed: number; failed: number } {
  let passed = 0;
  let failed = strayErrors;
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed++;
      // A test that never ran because a hook failed or the run was cut short has not passed either.
      else if (state === 'failed' || state === 'pending') failed++;
    }
  }
  return { passed, failed };
}

export function closingLineReporter(): Reporter {
  return {
    onTestRunEnd: (modules, strayErrors, reason: TestRunEndReason) => {
      const { passed, failed } = countResults(modules, strayErrors.length);
      const isUnexplained = failed === 0 && reason !== 'passed';
      process.once('exit', () =>
        process.stdout.write(`${passed} passed, ${isUnexplained ? 1 : failed} failed\n`),
      );
    },
  };
}
