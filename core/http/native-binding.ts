/**
 * Finds and loads the native part of uWebSockets.js. On a Linux whose glibc is a little too old for the shipped
 * library it makes a relabelled copy once (glibc-relabelling.ts) and loads that one; the shipped file stays as
 * it is. Everything else that does not fit ends in a message that says what is missing.
 */

import type * as uWebSockets from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { listNeededGlibcVersions, RELABELLED_VERSION, relabelGlibcSymbols } from './glibc-relabelling.ts';

/** The native module itself, without the small JavaScript class the package adds to it. */
export type UwsModule = Omit<typeof uWebSockets, 'DeclarativeResponse'>;

/** Bytes a request head may have: four buffers of 8 KiB (contract/proxy.md section 6.5). */
export const MAX_REQUEST_HEAD_BYTES = 32_768;
/** Read by the library with getenv() while it loads, hence never from a worker's copy of the environment. */
const HEAD_SIZE_VARIABLE = 'UWS_HTTP_MAX_HEADERS_SIZE';

const requireNative = createRequire(import.meta.url);

/**
 * Makes the library ready for every thread of this process and returns the path to load. Call it once in the
 * main thread before workers start: it sets the limit on request heads, which worker threads cannot, and makes
 * the relabelled copy if this machine needs one. Calling it again is cheap.
 * Throws an Error that names the machine's and the library's glibc when they cannot be brought together.
 */
export function prepareNativeBinding(): string {
  if (isMainThread) process.env[HEAD_SIZE_VARIABLE] ??= String(MAX_REQUEST_HEAD_BYTES);
  const shippedPath = findShippedLibrary();
  return process.platform === 'linux' ? fitToGlibc(shippedPath, readRuntimeGlibc()) : shippedPath;
}

/**
 * Loads uWebSockets.js into the calling thread. In a worker thread `prepareNativeBinding` must have run in the
 * main thread before. Throws an Error with the reason when the library cannot be loaded.
 */
export function loadUws(): UwsModule {
  if (!isMainThread && process.env[HEAD_SIZE_VARIABLE] === undefined) {
    throw new Error(
      'prepareNativeBinding() must run in the main thread before a worker loads uWebSockets.js',
    );
  }
  const path = prepareNativeBinding();
  try {
    return requireNative(path) as UwsModule;
  } catch (cause) {
    throw new Error(`uWebSockets.js cannot be loaded from ${path}: ${String(cause)}`, { cause });
  }
}

/**
 * Path of a library that a machine with this glibc can load: the shipped one where it fits, a relabelled copy
 * in a cache folder where only the relabelled version is missing. Throws for any other missing version.
 */
export function fitToGlibc(shippedPath: string, runtimeGlibc: string | undefined): string {
  if (runtimeGlibc === undefined) {
    throw new Error('uWebSockets.js needs a Linux with glibc; this one has another C library (such as musl)');
  }
  const library = readFileSync(shippedPath);
  const missing = listNeededGlibcVersions(library).filter((name) => isNewer(name, runtimeGlibc));
  if (missing.length === 0) return shippedPath;
  const foreign = missing.filter((name) => name !== RELABELLED_VERSION);
  if (foreign.length > 0) {
    throw new Error(
      `uWebSockets.js needs ${missing.join(', ')}, and this machine has glibc ${runtimeGlibc}: ` +
        'run Tollgate on a newer distribution (Debian 12, Ubuntu 24.04 or later)',
    );
  }
  return relabelIntoCache(shippedPath, library);
}

function findShippedLibrary(): string {
  const folder = dirname(requireNative.resolve('uWebSockets.js'));
  const file = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  const path = join(folder, file);
  if (!existsSync(path)) {
    throw new Error(
      `uWebSockets.js has no library for ${process.platform} ${process.arch} and Node ${process.version} (${file} is missing)`,
    );
  }
  return path;
}

function readRuntimeGlibc(): string | undefined {
  // Without this the report resolves the host's network names, which may take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

/** Whether `GLIBC_2.38` is newer than the running `2.36`. Private names (GLIBC_PRIVATE) never are. */
function isNewer(versionName: string, runtimeGlibc: string): boolean {
  const needed = versionName.slice('GLIBC_'.length).split('.').map(Number);
  const present = runtimeGlibc.split('.').map(Number);
  for (let part = 0; part < needed.length; part++) {
    const difference = (needed[part] ?? 0) - (present[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function relabelIntoCache(shippedPath: string, library: Buffer): string {
  const name = cacheFileName(shippedPath);
  const folders = [
    join(dirname(dirname(shippedPath)), '.cache', 'tollgate'),
    join(tmpdir(), privateFolderName()),
  ];
  let failure: unknown;
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (folder !== folders[0]) refuseForeignFolder(folder);
      const path = join(folder, name);
      if (!existsSync(path)) writeAtomically(path, relabelGlibcSymbols(library));
      return path;
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`no copy of uWebSockets.js that fits this machine could be made: ${String(failure)}`, {
    cause: failure,
  });
}

/** Says which source the copy was made from, so that a new version or build never meets an old copy. */
function cacheFileName(shippedPath: string): string {
  const { size, mtimeMs } = statSync(shippedPath);
  const manifest = JSON.parse(readFileSync(join(dirname(shippedPath), 'package.json'), 'utf8')) as {
    version: string;
  };
  const { platform, arch, versions } = process;
  return `uws-${manifest.version}-${platform}-${arch}-${versions.modules}-${size}-${Math.trunc(mtimeMs)}.node`;
}

function privateFolderName(): string {
  return `tollgate-${process.getuid?.() ?? 'user'}`;
}

/** The temporary folder is shared: a folder prepared by somebody else could hold their code. */
function refuseForeignFolder(folder: string): void {
  const state = lstatSync(folder);
  const isOwn = state.isDirectory() && state.uid === process.getuid?.() && (state.mode & 0o022) === 0;
  if (!isOwn) throw new Error(`${folder} belongs to somebody else`);
}

/** Threads and processes may race here: each writes its own file, and the last rename wins with equal bytes. */
function writeAtomically(path: string, bytes: Buffer): void {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, bytes, { mode: 0o755, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
