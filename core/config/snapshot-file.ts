/**
 * What the node knows of the configuration, on its disk, so that it can start and serve while the database is gone.
 * Lines of JSON with a checksum over all of them at the end; replaced by renaming, so that a reader finds the old file
 * or the new one and never a part. Credentials are in it: nobody but the owner may read it.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CachedRow, HeldRow } from '../cache/row-cache.ts';
import type { LogPosition } from '../store/change-log.ts';
import { type FieldCipher, NO_CIPHER } from '../store/encrypted-fields.ts';
import type { Snapshot } from './snapshot.ts';

export interface SavedRows {
  /** Whether these are all rows of the entity. */
  readonly isComplete: boolean;
  /** By last use where they are not all, the latest at the end. */
  readonly rows: readonly HeldRow[];
}

export interface SavedConfiguration {
  /** Which database it was read from; see `databaseIdentity`. */
  readonly database: string;
  readonly position: LogPosition;
  readonly snapshot: Snapshot;
  /** Rows held beside the snapshot, by entity. */
  readonly held: ReadonlyMap<string, SavedRows>;
}

export type SnapshotReading =
  | { readonly kind: 'read'; readonly saved: SavedConfiguration }
  | { readonly kind: 'none' }
  /** There is a file and it cannot be used; `reason` is for the operator. */
  | { readonly kind: 'unusable'; readonly reason: string };

interface Head {
  readonly format: string;
  readonly database: string;
  readonly position: LogPosition;
}

/** Of this build; another one's file is not read. */
const SEALED_AS = 'snapshot';
const FORMAT = 'tollgate snapshot 3';
const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** Written in parts, between which the process does other things. */
const ROWS_PER_WRITE = 500;
/** A temporary file this old belongs to a process that was killed while writing. */
const ABANDONED_MS = 60_000;

/** Throws what the file system throws; the file that was there is untouched then. */
export async function writeSnapshotFile(
  path: string,
  saved: SavedConfiguration,
  cipher: FieldCipher = NO_CIPHER,
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  await removeAbandoned(path);
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'wx', OWNER_ONLY);
  try {
    try {
      const hash = createHash('sha256');
      for (const text of describe(saved)) await append(file, hash, conceal(text, cipher));
      await file.write(`${JSON.stringify({ sha256: hash.digest('hex') })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Never throws: whatever is wrong with the file, the node can do without it. */
export async function readSnapshotFile(
  path: string,
  database: string,
  cipher: FieldCipher = NO_CIPHER,
): Promise<SnapshotReading> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { kind: 'none' } : { kind: 'unusable', reason: message };
  }
  const lines = checkedLines(bytes);
  if (lines === undefined) return { kind: 'unusable', reason: 'its checksum does not match its content' };
  const opened = lines.map((text) => cipher.open(text, SEALED_AS));
  if (opened.some((text) => !text.startsWith('{'))) {
    return { kind: 'unusable', reason: 'it is encrypted under a key that this node does not have' };
  }
  try {
    return parse(opened.flatMap(splitLines), database);
  } catch {
    return { kind: 'unusable', reason: 'it was not written by this version' };
  }
}

function* describe({ database, position, snapshot, held }: SavedConfiguration): Generator<string> {
  yield line({ format: FORMAT, database, position } satisfies Head);
  yield line(snapshot);
  for (const [entity, { isComplete, rows }] of held) {
    yield line({ entity, isComplete });
    for (let at = 0; at < rows.length; at += ROWS_PER_WRITE) {
      yield rows
        .slice(at, at + ROWS_PER_WRITE)
        .map(describeRow)
        .join('');
    }
  }
}

function describeRow({ row, expiresAtMs }: HeldRow): string {
  return line(expiresAtMs === Number.POSITIVE_INFINITY ? { row } : { row, expiresAtMs });
}

/** One line of what may be several. */
function conceal(text: string, cipher: FieldCipher): string {
  return cipher.hasKey ? `${cipher.seal(text, SEALED_AS)}\n` : text;
}

const splitLines = (text: string): readonly string[] => text.split('\n').filter((each) => each !== '');

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

async function append(file: FileHandle, hash: Hash, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  hash.update(bytes);
  await file.write(bytes);
}

/** All lines but the last, which vouches for them; undefined when it does not. */
function checkedLines(bytes: Buffer): readonly string[] | undefined {
  const end = bytes.length - 1;
  const lastStart = bytes.lastIndexOf(0x0a, end - 1) + 1;
  const digest = createHash('sha256').update(bytes.subarray(0, lastStart)).digest('hex');
  const isWhole = bytes.subarray(lastStart).toString('utf8') === line({ sha256: digest });
  return isWhole ? bytes.subarray(0, lastStart).toString('utf8').split('\n').slice(0, -1) : undefined;
}

function parse([first = '', second = '', ...others]: readonly string[], database: string): SnapshotReading {
  const head = JSON.parse(first) as Head;
  if (head.format !== FORMAT) return { kind: 'unusable', reason: `its format is not '${FORMAT}'` };
  if (head.database !== database) {
    return { kind: 'unusable', reason: `it belongs to the database ${head.database}` };
  }
  const held = new Map<string, { isComplete: boolean; rows: HeldRow[] }>();
  let rows: HeldRow[] = [];
  for (const text of others) {
    const value = JSON.parse(text) as
      | { readonly entity: string; readonly isComplete: boolean }
      | { readonly row: CachedRow; readonly expiresAtMs?: number };
    if ('row' in value) {
      rows.push({ row: value.row, expiresAtMs: value.expiresAtMs ?? Number.POSITIVE_INFINITY });
      continue;
    }
    rows = [];
    held.set(value.entity, { isComplete: value.isComplete, rows });
  }
  const snapshot = JSON.parse(second) as Snapshot;
  return { kind: 'read', saved: { database, position: head.position, snapshot, held } };
}

async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith('.tmp')) continue;
    const abandoned = join(folder, name);
    const written = await stat(abandoned).catch(() => undefined);
    if (written !== undefined && Date.now() - written.mtimeMs > ABANDONED_MS) {
      await rm(abandoned, { force: true });
    }
  }
}

/** The new name is on the disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
