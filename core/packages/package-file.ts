/**
 * The published packages of a node on its own disk, so that it can start with them while the database is gone.
 * Replaced by renaming; what has been tampered with or belongs to another database is not read.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ActivePackage } from '../data-plane/active-package.ts';
import { readArtefact } from '../sandbox/plugin-artefact.ts';

const FORMAT = 'tollgate packages 1';
const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

interface Content {
  readonly format: string;
  readonly database: string;
  readonly packages: readonly ActivePackage[];
}

export interface PackageFile {
  /** Undefined when there is none that can be used. */
  read(): Promise<readonly ActivePackage[] | undefined>;
  /** Rejects as the file system does; the file that was there is untouched then. */
  write(packages: readonly ActivePackage[]): Promise<void>;
}

/** `database`: whose packages they are. */
export function createPackageFile(path: string, database: string): PackageFile {
  return {
    async read() {
      try {
        const content = JSON.parse(await readFile(path, 'utf8')) as Content;
        if (content.format !== FORMAT || content.database !== database) return undefined;
        for (const { current, previous } of content.packages) {
          for (const artefact of [current, previous]) if (artefact) readArtefact({ ...artefact });
        }
        return content.packages;
      } catch {
        return undefined;
      }
    },
    async write(packages) {
      await mkdir(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
      const temporary = `${path}.${randomUUID()}.tmp`;
      try {
        const file = await open(temporary, 'wx', OWNER_ONLY);
        try {
          await file.write(JSON.stringify({ format: FORMAT, database, packages } satisfies Content));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}
