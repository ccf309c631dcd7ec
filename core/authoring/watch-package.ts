/** Tells when the sources of a package have changed, once for all files that are saved together. */
import { watch } from 'node:fs';
import { basename, sep } from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 30;
const PASSED_OVER = new Set(['node_modules', 'dist']);

/** Returns a function that ends the watch. */
export function watchPackage(root: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(root, { recursive: true }, (_, path) => {
    if (path === null || !isSource(path)) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

function isSource(path: string): boolean {
  const folders = path.split(sep);
  if (folders.some((name) => name.startsWith('.') || PASSED_OVER.has(name))) return false;
  return !/\.test\.[a-z]+$|\.tollgate\.json$|~$/.test(basename(path));
}
