/** An artefact to publish or to look at: a file somebody has packed, or a folder that is packed on the way. */
import { readFileSync, statSync } from 'node:fs';
import { ArtefactError, type PluginArtefact, readArtefact } from '../sandbox/plugin-artefact.ts';
import { AuthoringError } from './authoring-error.ts';
import { buildArtefact } from './build-artefact.ts';
import { readPackage } from './read-package.ts';

/** Rejects with errors whose message says everything, also when the file is not what its digest was made of. */
export async function readArtefactAt(path: string): Promise<PluginArtefact> {
  const text = readFile(path);
  if (text === undefined) return buildArtefact(readPackage(path));
  try {
    return readArtefact(JSON.parse(text) as Record<string, unknown>);
  } catch (error) {
    if (error instanceof ArtefactError) throw new AuthoringError(`${path} is no artefact: ${error.message}`);
    throw new AuthoringError(`${path} is no artefact: 'tollgate plugin pack' writes one`);
  }
}

/** Undefined for a folder. */
function readFile(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AuthoringError(isAbsent ? `there is no ${path}` : `${path} cannot be read: ${String(error)}`);
  }
}
