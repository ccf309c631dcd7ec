/** Whether the types of a plugin fit, as the compiler of its package or of a working copy of the gateway has it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AuthoringError } from './authoring-error.ts';
import type { AuthoredPackage } from './read-package.ts';

const TEMPLATE_CONFIG = fileURLToPath(new URL('./template/tsconfig.json', import.meta.url));
const ERROR = /^(.+?)\((\d+),(\d+)\): error (TS\d+: .*)$/;

/** False when there is no compiler to ask. Throws AuthoringError with all that does not fit. */
export function checkTypes({ root, name, entry }: AuthoredPackage): boolean {
  const compiler = locate('typescript', root);
  if (compiler === undefined) return false;
  const scratch = mkdtempSync(join(tmpdir(), 'tollgate-types-'));
  try {
    const project = join(scratch, 'tsconfig.json');
    writeFileSync(project, JSON.stringify(describeProject(root, fileURLToPath(entry))));
    const tsc = [join(compiler, 'bin/tsc'), '--project', project, '--pretty', 'false'];
    const { stdout } = spawnSync(process.execPath, tsc, { cwd: root, encoding: 'utf8' });
    const problems = stdout.split('\n').flatMap(describeProblem);
    if (problems.length === 0) return true;
    throw new AuthoringError([`the types of ${name} do not fit:`, ...problems].join('\n'));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The author's own rules for what the plugin is made of; tests need types that may not be installed. */
function describeProject(root: string, entry: string): object {
  const own = join(root, 'tsconfig.json');
  return {
    extends: existsSync(own) ? own : TEMPLATE_CONFIG,
    compilerOptions: {
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: [],
      ...(locate('@tollgate/sdk', root, false) === undefined && { paths: sdkPaths() }),
    },
    files: [entry],
    include: [],
  };
}

function sdkPaths(): Record<string, readonly string[]> {
  const folder = locate('@tollgate/sdk', undefined);
  if (folder === undefined) return {};
  const [doors, door] = existsSync(join(folder, 'index.ts')) ? ['', 'index.ts'] : ['dist', 'index.d.ts'];
  return {
    '@tollgate/sdk': [join(folder, doors, door)],
    '@tollgate/sdk/*': [join(folder, doors, '*', door)],
  };
}

/** Folder of an installed package: as seen from the author's, else from here. */
function locate(name: string, root: string | undefined, orHere = true): string | undefined {
  const origins = [
    ...(root === undefined ? [] : [join(root, 'package.json')]),
    ...(orHere ? [import.meta.url] : []),
  ];
  for (const origin of origins) {
    try {
      return dirname(createRequire(origin).resolve(`${name}/package.json`));
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/** Of the package alone: nothing of the SDK or of dependencies is the author's to put right. */
function describeProblem(line: string): readonly string[] {
  const [, file = '', row, column, text] = ERROR.exec(line) ?? [];
  if (text === undefined || file.startsWith('..') || file.includes('node_modules/')) return [];
  return [`  ${file}:${row}:${column}: ${text}`];
}
