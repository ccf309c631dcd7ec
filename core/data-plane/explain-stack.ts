/** Stacks of published packages, as their authors know the lines. */
import { createStackMapper } from '../sandbox/map-stack.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';

const MAX_SOURCE_MAP_LENGTH = 1_000_000;

/** What stacks call it: versions of a package may run side by side. */
export function scriptOf({ name, version }: PluginArtefact): string {
  return `${name}@${version}`;
}

/** The map is the author's too: one that is no map, or that would keep the worker busy, explains nothing. */
export function createStackExplainer(artefact: PluginArtefact): (stack: string) => string {
  const { sourceMap } = artefact;
  const unmapped = (stack: string) => stack;
  if (sourceMap === '' || sourceMap.length > MAX_SOURCE_MAP_LENGTH) return unmapped;
  try {
    const map = createStackMapper({ name: scriptOf(artefact), sourceMap });
    return (stack) => {
      try {
        return map(stack);
      } catch {
        return stack;
      }
    };
  } catch {
    return unmapped;
  }
}
