/**
 * A version of a plugin package as it is shipped: one JSON document with everything a node needs to run it, pinned by
 * a digest over all of it. Pure.
 */
import { createHash } from 'node:crypto';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { checkManifest } from './check-manifest.ts';
import { isShallow } from './plain-values.ts';

export const ARTEFACT_FORMAT = 1;

export interface PluginArtefact {
  readonly format: typeof ARTEFACT_FORMAT;
  /** Of the package, as npm has them: `hello` or `@acme/hello`. */
  readonly name: string;
  /** `x.y.z`, with a suffix where there is one. */
  readonly version: string;
  /** What the package says of itself when it is loaded. */
  readonly manifest: PackageManifest;
  /** Script that defines the global `tollgate`, a GuestRuntime. */
  readonly code: string;
  /** JSON; '' without one. */
  readonly sourceMap: string;
  /** See `digestArtefact`. */
  readonly digest: string;
}

/** The message says what is wrong with an artefact, for whoever made it. */
export class ArtefactError extends Error {
  override readonly name = 'ArtefactError';
}

const MAX_NAME_LENGTH = 128;
const MAX_CODE_LENGTH = 4 * 1024 * 1024;
const MAX_MANIFEST_LENGTH = 256 * 1024;
/** Schemas have 12 levels of fields, each of three levels here, and values in them. */
const MAX_MANIFEST_DEPTH = 64;
const PACKAGE_NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;
const PACKAGE_VERSION = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]{1,64})?$/;

/** SHA-256 in hexadecimal over format, name, version, manifest, code and source map. */
export function digestArtefact(artefact: Omit<PluginArtefact, 'digest' | 'format'>): string {
  const { name, version, manifest, code, sourceMap } = artefact;
  const pinned = JSON.stringify([ARTEFACT_FORMAT, name, version, manifest, code, sourceMap]);
  return createHash('sha256').update(pinned).digest('hex');
}

/** Puts a digest on what is to be shipped. */
export function sealArtefact(content: Omit<PluginArtefact, 'digest' | 'format'>): PluginArtefact {
  const { name, version, manifest, code, sourceMap } = content;
  const digest = digestArtefact(content);
  return { format: ARTEFACT_FORMAT, name, version, digest, manifest, code, sourceMap };
}

/** A document somebody sent. Throws ArtefactError when it is no artefact or not the one its digest was made of. */
export function readArtefact(given: Readonly<Record<string, unknown>>): PluginArtefact {
  const { format, name, version, manifest, code, sourceMap, digest } = given;
  if (format !== ARTEFACT_FORMAT) throw new ArtefactError(`format must be ${ARTEFACT_FORMAT}`);
  if (!isText(name, MAX_NAME_LENGTH) || !PACKAGE_NAME.test(name)) {
    throw new ArtefactError("name must be that of an npm package, such as 'hello' or '@acme/hello'");
  }
  if (!isText(version, MAX_NAME_LENGTH) || !PACKAGE_VERSION.test(version)) {
    throw new ArtefactError('version must be a semantic version such as 1.0.0');
  }
  if (!isText(code, MAX_CODE_LENGTH) || code === '') {
    throw new ArtefactError(`code must be a script of up to ${MAX_CODE_LENGTH} characters`);
  }
  if (!isText(sourceMap ?? '', MAX_CODE_LENGTH)) {
    throw new ArtefactError(`sourceMap must be a text of up to ${MAX_CODE_LENGTH} characters`);
  }
  if (!isShallow(manifest, MAX_MANIFEST_DEPTH)) throw new ArtefactError('manifest is nested too deeply');
  if ((JSON.stringify(manifest) ?? '').length > MAX_MANIFEST_LENGTH) {
    throw new ArtefactError(`manifest must not be longer than ${MAX_MANIFEST_LENGTH} characters`);
  }
  const problem = checkManifest(manifest);
  if (problem !== undefined) throw new ArtefactError(problem);
  const content = {
    name,
    version,
    manifest: manifest as PackageManifest,
    code,
    sourceMap: `${sourceMap ?? ''}`,
  };
  const expected = digestArtefact(content);
  if (digest !== expected)
    throw new ArtefactError(`digest does not match the content, which has ${expected}`);
  return sealArtefact(content);
}

function isText(value: unknown, maxLength: number): value is string {
  // What a database cannot store as it is would no longer have its digest when it is read again.
  return (
    typeof value === 'string' && value.length <= maxLength && !value.includes('\0') && value.isWellFormed()
  );
}
