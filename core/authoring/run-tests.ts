/** `tollgate plugin test`: the tests of a package, by Node's own runner, with the SDK of this gateway. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { AuthoringError } from './authoring-error.ts';
import type { AuthoredPackage } from './read-package.ts';

const RESOLVE_SDK = new URL('./resolve-sdk.ts', import.meta.url).href;

/** Resolves to the exit code of the runner, which writes to the terminal. Throws AuthoringError without any test. */
export async function runTests({ root, name }: AuthoredPackage): Promise<number> {
  const files = globSync('**/*.test.{ts,mts,js,mjs}', {
    cwd: root,
    exclude: ['**/node_modules/**', 'dist/**'],
  });
  if (files.length === 0) throw new AuthoringError(`${name} has no file named *.test.ts`);
  const runner = spawn(process.execPath, ['--import', RESOLVE_SDK, '--test', ...files.toSorted()], {
    cwd: root,
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    runner.once('error', reject);
    runner.once('exit', (code) => resolve(code ?? 1));
  });
}
