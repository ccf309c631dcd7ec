/** The SDK that this gateway runs plugins with, and how a package elsewhere depends on both. */
import { readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SDK_MANIFEST = new URL('../../sdk/package.json', import.meta.url);
const INSTALLED = `${sep}node_modules${sep}`;

/** Imports of `@tollgate/sdk` are resolved as from here. */
export const INSIDE_SDK: string = SDK_MANIFEST.href;

export interface Dependencies {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/**
 * What a package in `folder` writes down. Where this is a working copy: its SDK, beside which the test kit finds the
 * gateway. Where the gateway is installed: these versions, or the files they were installed from.
 */
export function describeDependencies(folder: string): Dependencies {
  const at = ROOT.indexOf(INSTALLED);
  if (at < 0) return { dependencies: { '@tollgate/sdk': `file:${relative(folder, join(ROOT, 'sdk'))}` } };
  const project = ROOT.slice(0, at);
  const given = readManifest(join(project, 'package.json'));
  const versionFor = (name: string, manifest: string) => {
    const wanted = given.devDependencies?.[name] ?? given.dependencies?.[name];
    if (wanted?.startsWith('file:') !== true) return `^${readManifest(manifest).version}`;
    return `file:${relative(folder, resolve(project, wanted.slice('file:'.length)))}`;
  };
  return {
    dependencies: { '@tollgate/sdk': versionFor('@tollgate/sdk', fileURLToPath(SDK_MANIFEST)) },
    devDependencies: { tollgate: versionFor('tollgate', join(ROOT, 'package.json')) },
  };
}

interface Manifest extends Partial<Dependencies> {
  readonly version: string;
}

/** Nothing in it where there is none: nobody has to keep one. */
function readManifest(path: string): Manifest {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch {
    return { version: '' };
  }
}
