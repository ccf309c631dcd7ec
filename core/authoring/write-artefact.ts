/** `tollgate plugin build` and `pack`: artefacts as files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { AuthoringError } from './authoring-error.ts';
import { describeCapabilities } from './describe-capabilities.ts';

/** Writes script and source map, for people to look at. Returns lines to show. */
export function writeBundle(artefact: PluginArtefact, folder: string): readonly string[] {
  const stem = fileStem(artefact);
  const script = join(folder, `${stem}.js`);
  write(script, `${artefact.code}//# sourceMappingURL=${stem}.js.map\n`);
  write(`${script}.map`, artefact.sourceMap);
  return [`${show(script)}: ${artefact.code.length} characters`, ...describe(artefact)];
}

/** Writes the one file that is published. `file` undefined: named after package and version, here. */
export function writePackedArtefact(artefact: PluginArtefact, file: string | undefined): readonly string[] {
  const path = file ?? `${fileStem(artefact)}-${artefact.version}.tollgate.json`;
  write(path, JSON.stringify(artefact));
  return [show(path), `sha256 ${artefact.digest}`, ...describe(artefact)];
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    throw new AuthoringError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

function describe({ manifest }: PluginArtefact): string[] {
  return manifest.plugins.map(
    ({ name, version, phases, capabilities }) =>
      `plugin ${name} ${version} (${phases.join(', ')}), ${describeCapabilities(capabilities)}`,
  );
}

function fileStem({ name }: PluginArtefact): string {
  return name.replace('@', '').replace('/', '-');
}

function show(path: string): string {
  return relative(process.cwd(), resolve(path));
}
