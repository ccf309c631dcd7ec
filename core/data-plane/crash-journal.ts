/**
 * Which published package each worker is inside of, written where it outlives the process: V8 may take the whole
 * process with it when a plugin asks for more memory at once than there is, and somebody has to know whose doing it was.
 * A file without a name, open in both processes.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The data-plane process finds it behind its standard streams and its channel. */
export const JOURNAL_FD = 4;

const ENTRY_BYTES = 8;
const NOBODY = Buffer.alloc(ENTRY_BYTES);

export interface CrashJournal {
  readonly fd: number;
  /** Beginnings of the digests of packages that were running when the process ended, in hexadecimal. */
  read(workers: number): readonly string[];
  clear(): void;
  close(): void;
}

/** Of the control process. Undefined where no file can be made: then nobody is blamed. */
export function openCrashJournal(): CrashJournal | undefined {
  const path = join(tmpdir(), `tollgate-${randomUUID()}.journal`);
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return {
      fd,
      read(workers) {
        const entries = Buffer.alloc(workers * ENTRY_BYTES);
        readSync(fd, entries, 0, entries.length, 0);
        return Array.from({ length: workers }, (_, worker) =>
          entries.subarray(worker * ENTRY_BYTES, (worker + 1) * ENTRY_BYTES),
        ).flatMap((entry) => (entry.equals(NOBODY) ? [] : [entry.toString('hex')]));
      },
      clear: () => ftruncateSync(fd, 0),
      close: () => closeSync(fd),
    };
  } catch {
    return undefined;
  }
}

export interface JournalEntry {
  enter(): void;
  leave(): void;
}

/** Of a worker, for one version of a package. */
export function createJournalEntry(worker: number, digest: string): JournalEntry {
  const mark = Buffer.from(digest.slice(0, ENTRY_BYTES * 2), 'hex');
  const at = worker * ENTRY_BYTES;
  const write = (entry: Buffer) => {
    try {
      writeSync(JOURNAL_FD, entry, 0, ENTRY_BYTES, at);
    } catch {
      // Without a journal nobody is blamed, and everything else goes on.
    }
  };
  return { enter: () => write(mark), leave: () => write(NOBODY) };
}
