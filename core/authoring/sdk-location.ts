/** The SDK that this gateway runs plugins with, and how a package elsewhere depends on it. */
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const SDK_MANIFEST = new URL('../../sdk/package.json', import.meta.url);

/** Imports of `@tollgate/sdk` are resolved as from here. */
export const INSIDE_SDK: string = SDK_MANIFEST.href;

/** What a package in `folder` writes down: the version where it is installed, a path where it is a working copy. */
export function sdkDependency(folder: string): string {
  const sdkFolder = fileURLToPath(new URL('.', SDK_MANIFEST));
  if (!sdkFolder.split(sep).includes('node_modules')) return `file:${relative(folder, sdkFolder)}`;
  const { version } = JSON.parse(readFileSync(SDK_MANIFEST, 'utf8')) as { version: string };
  return `^${version}`;
}
