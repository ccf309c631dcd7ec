/**
 * A first look at a stranger's package: it is loaded in a process of its own that has no traffic and nothing to lose,
 * and ends with the look. What goes wrong in there, at load or ever after, hurts nobody.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { MigrationOrder, MigrationOutcome } from '../../sdk/protocol/migration.ts';
import { isPlainRecord } from '../../sdk/schema/index.ts';
import type { IsolateLimits } from '../sandbox/isolate-limits.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { WORKER_HEAP_FLAGS } from '../sandbox/young-generation.ts';

const PROCESS_MODULE = fileURLToPath(new URL('./inspection-process.ts', import.meta.url));
/** Longer than this nobody waits for a stranger. */
const INSPECTION_TIMEOUT_MS = 20_000;

export interface InspectionOrder {
  readonly artefact: PluginArtefact;
  readonly limits: IsolateLimits;
  /** Rows to be migrated, once it has loaded. */
  readonly migrations?: readonly MigrationOrder[];
}

export interface InspectionResult {
  /** Absent when all is well; otherwise for the package's author. */
  readonly problem?: string;
  /** Of the migrations, in their order. A stranger's word. */
  readonly outcomes?: readonly unknown[];
}

/** Resolves to what is wrong with the package, for its author; to undefined when it loads and is what it says. */
export async function inspectPackage(order: InspectionOrder): Promise<string | undefined> {
  return (await ask(order)).problem;
}

/** Rejects with a message for the package's author when it does not load or gives back something else than rows. */
export async function migrateRows(
  order: InspectionOrder & { readonly migrations: readonly MigrationOrder[] },
): Promise<readonly (readonly MigrationOutcome[])[]> {
  if (order.migrations.length === 0) return [];
  const { problem, outcomes = [] } = await ask(order);
  if (problem !== undefined) throw new Error(problem);
  return order.migrations.map(({ rows }, at) => {
    const batch = outcomes[at];
    if (!Array.isArray(batch) || batch.length !== rows.length || !batch.every(isOutcome)) {
      throw new Error('its migrations do not give back rows');
    }
    return batch;
  });
}

function isOutcome(given: unknown): given is MigrationOutcome {
  if (!isPlainRecord(given)) return false;
  return typeof given['error'] === 'string' || isPlainRecord(given['row']);
}

function ask(order: InspectionOrder): Promise<InspectionResult> {
  return new Promise((resolve) => {
    const child = fork(PROCESS_MODULE, [], {
      serialization: 'advanced',
      execArgv: [...WORKER_HEAP_FLAGS],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // It needs none of the gateway's, where secrets may be.
      env: {},
    });
    const answer = (result: InspectionResult) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(result);
    };
    const end = (problem: string) => answer({ problem });
    const timer = setTimeout(
      () => end(`it does not load within ${INSPECTION_TIMEOUT_MS} ms`),
      INSPECTION_TIMEOUT_MS,
    );
    child.once('message', (result) => answer(result as InspectionResult));
    child.once('error', (error) => end(`it cannot be inspected: ${error.message}`));
    child.once('exit', (code, signal) => end(`it ended the process that loaded it (${signal ?? code})`));
    child.send(order, (error) => error && end(`it cannot be inspected: ${error.message}`));
  });
}
