/** Keeps two processes from opening the same embedded database, which would destroy it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { StoreUnavailableError } from './entity-error.ts';

/**
 * Marks the folder as ours by a file beside it that names our process. The mark of a process that is gone is taken
 * over. Throws StoreUnavailableError when a living one holds it. Returns the function that lets go.
 */
export async function lockDataFolder(dataDir: string): Promise<() => Promise<void>> {
  const lockFile = `${dataDir.replace(/\/+$/, '')}.lock`;
  if (!(await claim(lockFile))) {
    const holder = Number(await readFile(lockFile, 'utf8').catch(() => '0'));
    if (holder !== process.pid && isAlive(holder)) throw inUse(dataDir, holder);
    if (holder === process.pid && heldHere.has(lockFile)) throw inUse(dataDir, holder);
    await rm(lockFile, { force: true });
    if (!(await claim(lockFile))) throw inUse(dataDir, holder);
  }
  heldHere.add(lockFile);
  return async () => {
    heldHere.delete(lockFile);
    await rm(lockFile, { force: true });
  };
}

/** A process id may come back after a restart of the machine or container, so our own mark needs a second witness. */
const heldHere = new Set<string>();

async function claim(lockFile: string): Promise<boolean> {
  try {
    await writeFile(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new StoreUnavailableError(error);
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(dataDir: string, holder: number): StoreUnavailableError {
  return new StoreUnavailableError(new Error(`${dataDir} is in use by process ${holder}`));
}
