/** Sources as they are published: JavaScript and declarations, since Node.js strips no types below `node_modules`. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
/** Modules that are started or found by their address rather than imported. */
const ADDRESS = /(new URL\('\.{1,2}\/[^']+)\.ts('\s*,\s*import\.meta\.url\))/g;
const IMPORTED = /(\bfrom '|\bimport\('|^import ')(\.{1,2}\/[^']+)\.ts'/gm;

export interface Compilation {
  /** Folders below the root of the repository, with everything in them. */
  readonly folders: readonly string[];
  /** The folder below which the output is laid out as the sources are. */
  readonly rootDir: string;
  readonly outDir: string;
  readonly declarations: boolean;
}

/** Throws with the compiler's words when it does not compile. */
export function compile({ folders, rootDir, outDir, declarations }: Compilation): void {
  const scratch = mkdtempSync(join(tmpdir(), 'tollgate-compile-'));
  try {
    const project = join(scratch, 'tsconfig.json');
    writeFileSync(
      project,
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.json'),
        compilerOptions: {
          noEmit: false,
          rewriteRelativeImportExtensions: true,
          declaration: declarations,
          rootDir,
          outDir,
          typeRoots: [join(ROOT, 'node_modules/@types')],
        },
        include: folders.map((folder) => join(ROOT, folder)),
        exclude: [join(ROOT, 'core/authoring/template')],
      }),
    );
    runCompiler(['--project', project]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  for (const file of globSync('**/*.{js,d.ts}', { cwd: outDir })) renameImports(join(outDir, file));
}

function runCompiler(args: readonly string[]): void {
  try {
    execFileSync(process.execPath, [TSC, ...args], { cwd: ROOT, encoding: 'utf8' });
  } catch (error) {
    throw new Error(`not compiled:\n${(error as { readonly stdout: string }).stdout}`);
  }
}

/** What the compiler leaves as it is: addresses, and imports of declarations. */
function renameImports(path: string): void {
  const text = readFileSync(path, 'utf8');
  const renamed = text.replace(ADDRESS, '$1.js$2').replace(IMPORTED, "$1$2.js'");
  if (renamed !== text) writeFileSync(path, renamed);
}
