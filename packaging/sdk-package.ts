/**
 * `npm pack` in `sdk/`: the script `prepack` compiles into `dist/` and lets package.json lead there, `postpack` puts the
 * package.json of the checkout back, which leads to the sources.
 */
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compile, ROOT } from './compile.ts';

const SDK = join(ROOT, 'sdk');
const MANIFEST = join(SDK, 'package.json');
const MANIFEST_OF_CHECKOUT = join(SDK, '.package.json');
const README = join(SDK, 'README.md');
const README_OF_CHECKOUT = join(SDK, '.README.md');
const DIST = join(SDK, 'dist');
const DOCS = join(SDK, 'docs');
/** For the gateway, which has the sources: not for strangers. */
const INTERNAL = /^\.\/(?:protocol|guest)\//;

interface SdkManifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly scripts?: unknown;
}

export function prepareSdkPackage(): void {
  // What a run that was ended in the middle has left.
  restoreSdkCheckout();
  compile({ folders: ['sdk'], rootDir: SDK, outDir: DIST, declarations: true });
  copyPages();
  copyFileSync(README, README_OF_CHECKOUT);
  copyFileSync(MANIFEST, MANIFEST_OF_CHECKOUT);
  writeFileSync(README, relinkPage(readFileSync(README, 'utf8'), 'docs/'));
  writeFileSync(MANIFEST, publishedManifest(readFileSync(MANIFEST, 'utf8')));
}

export function restoreSdkCheckout(): void {
  for (const [kept, place] of [
    [MANIFEST_OF_CHECKOUT, MANIFEST],
    [README_OF_CHECKOUT, README],
  ] as const) {
    if (!existsSync(kept)) continue;
    copyFileSync(kept, place);
    rmSync(kept);
  }
  for (const folder of [DIST, DOCS]) rmSync(folder, { recursive: true, force: true });
}

/** The package.json of a checkout, with doors that lead to what has been compiled. */
function publishedManifest(text: string): string {
  const { scripts: _, exports, ...manifest } = JSON.parse(text) as SdkManifest;
  const doors = Object.entries(exports).flatMap(([door, source]) => {
    if (INTERNAL.test(door)) return [];
    if (!source.endsWith('.ts')) return [[door, source]];
    const stem = source.replace('./', './dist/').replace(/\.ts$/, '');
    return [[door, { types: `${stem}.d.ts`, default: `${stem}.js` }]];
  });
  return `${JSON.stringify({ ...manifest, exports: Object.fromEntries(doors) }, null, 2)}\n`;
}

function copyPages(): void {
  mkdirSync(DOCS, { recursive: true });
  for (const page of globSync(join(ROOT, 'docs/plugins/*.md'))) {
    writeFileSync(join(DOCS, basename(page)), relinkPage(readFileSync(page, 'utf8'), ''));
  }
}

/** Links to pages that come along lead to them; of others, which stay in the repository, the words remain. */
function relinkPage(text: string, pages: string): string {
  return text
    .replace(/\]\((?:\.\.\/docs\/plugins\/)([^)]+)\)/g, `](${pages}$1)`)
    .replace(/\]\((?:\.\.\/)+sdk\/([^)]+)\)/g, '](../$1)')
    .replace(/\[([^\]]+)\]\(\.\.\/(?!README|CHANGELOG)[^)]+\)/g, '$1');
}
