/** `tollgate plugin docs`: the table of the configuration in a package's README, written from the schema. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillConfiguration } from '../docs/render-configuration.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';

const README = 'README.md';

/** Returns lines to show. */
export function writeReadme(folder: string, { name, manifest }: PluginArtefact): readonly string[] {
  const path = join(folder, README);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : `# ${name}\n`;
  const after = manifest.plugins.reduce((text, { schema }) => fillConfiguration(text, schema), before);
  if (after === before) return [`${path} is as the schema has it`];
  writeFileSync(path, after);
  return [`${path}: written from the schema`];
}
