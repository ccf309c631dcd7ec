/** Tells when the sources of a package have changed, once for all files that are saved together. */
import { type Dirent, existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 30;
const PASSED_OVER = new Set(['node_modules', 'dist']);
const NO_SOURCE = /\.test\.[a-z]+$|\.tollgate\.json$|~$/;

/**
 * Returns a function that ends the watch. Folders are watched, not files: many editors save by putting a new file in
 * the place of the old one.
 */
export function watchPackage(root: string, onChange: () => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  const observeAll = () => {
    const folders = listFolders(root);
    for (const [folder, watcher] of watchers) {
      if (folders.includes(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of folders) observe(folder);
  };
  const settle = () => {
    observeAll();
    onChange();
  };
  const observe = (folder: string) => {
    if (watchers.has(folder) || !existsSync(folder)) return;
    const watcher = watch(folder, (_, name) => {
      if (name === null || !mayBeSource(name)) return;
      clearTimeout(timer);
      timer = setTimeout(settle, SETTLE_MS);
    });
    // A folder that is taken away comes up among the changes of the one it was in.
    watcher.on('error', () => watcher.close());
    watchers.set(folder, watcher);
  };
  observeAll();
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

function listFolders(root: string): readonly string[] {
  const entries = listEntries(root);
  const inside = entries.filter((entry) => entry.isDirectory() && mayBeSource(entry.name));
  return [root, ...inside.flatMap(({ name }) => listFolders(join(root, name)))];
}

/** None of a folder that is gone meanwhile. */
function listEntries(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function mayBeSource(name: string): boolean {
  return !name.startsWith('.') && !PASSED_OVER.has(name) && !NO_SOURCE.test(name);
}
