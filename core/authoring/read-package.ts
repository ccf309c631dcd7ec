/** An author's package as it lies on the disk. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AuthoringError } from './authoring-error.ts';

export interface AuthoredPackage {
  /** Absolute, without symbolic links. */
  readonly root: string;
  readonly name: string;
  readonly version: string;
  /** The module whose default export is the plugin. */
  readonly entry: URL;
}

const MANIFEST = 'package.json';
const DEFAULT_ENTRY = 'index.ts';

/** Throws AuthoringError when it is no package. */
export function readPackage(folder: string): AuthoredPackage {
  if (!existsSync(join(folder, MANIFEST))) throw new AuthoringError(`${folder} has no ${MANIFEST}`);
  const root = realpathSync(folder);
  const { name, version, main = DEFAULT_ENTRY } = readManifest(join(root, MANIFEST));
  if (typeof name !== 'string') throw new AuthoringError(`${MANIFEST} has no name`);
  if (typeof version !== 'string') throw new AuthoringError(`${MANIFEST} has no version`);
  if (typeof main !== 'string') throw new AuthoringError(`main in ${MANIFEST} must be the path of a module`);
  const entry = resolve(root, main);
  if (!entry.startsWith(root + sep)) throw new AuthoringError(`main in ${MANIFEST} lies outside the package`);
  if (!existsSync(entry)) throw new AuthoringError(`${main}, the main module of ${name}, is not there`);
  return { root, name, version, entry: pathToFileURL(entry) };
}

function readManifest(path: string): Readonly<Record<string, unknown>> {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof manifest === 'object' && manifest !== null) return manifest as Record<string, unknown>;
    throw new AuthoringError(`${MANIFEST} must be an object`);
  } catch (error) {
    if (error instanceof SyntaxError) throw new AuthoringError(`${MANIFEST} is no JSON: ${error.message}`);
    throw error;
  }
}
