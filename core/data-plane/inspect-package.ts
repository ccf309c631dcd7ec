/**
 * A first look at a stranger's package: it is loaded in a process of its own that has no traffic and nothing to lose,
 * and ends with the look. What goes wrong in there, at load or ever after, hurts nobody.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { IsolateLimits } from '../sandbox/isolate-limits.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { WORKER_HEAP_FLAGS } from '../sandbox/young-generation.ts';

const PROCESS_MODULE = fileURLToPath(new URL('./inspection-process.ts', import.meta.url));
/** Longer than this nobody waits for a stranger. */
const INSPECTION_TIMEOUT_MS = 20_000;

export interface InspectionOrder {
  readonly artefact: PluginArtefact;
  readonly limits: IsolateLimits;
}

export interface InspectionResult {
  /** Absent when all is well; otherwise for the package's author. */
  readonly problem?: string;
}

/** Resolves to what is wrong with the package, for its author; to undefined when it loads and is what it says. */
export function inspectPackage(order: InspectionOrder): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = fork(PROCESS_MODULE, [], {
      serialization: 'advanced',
      execArgv: [...WORKER_HEAP_FLAGS],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // It needs none of the gateway's, where secrets may be.
      env: {},
    });
    const end = (problem: string | undefined) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(problem);
    };
    const timer = setTimeout(
      () => end(`it does not load within ${INSPECTION_TIMEOUT_MS} ms`),
      INSPECTION_TIMEOUT_MS,
    );
    child.once('message', (result) => end((result as InspectionResult).problem));
    child.once('error', (error) => end(`it cannot be inspected: ${error.message}`));
    child.once('exit', (code, signal) => end(`it ended the process that loaded it (${signal ?? code})`));
    child.send(order, (error) => error && end(`it cannot be inspected: ${error.message}`));
  });
}
