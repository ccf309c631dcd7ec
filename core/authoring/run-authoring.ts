/** The commands of authors. */
import { join } from 'node:path';
import { buildArtefact } from './build-artefact.ts';
import { createPackage } from './create-package.ts';
import type { AuthoringCommand } from './parse-authoring.ts';
import { readPackage } from './read-package.ts';
import { runTests } from './run-tests.ts';
import { writeBundle, writePackedArtefact } from './write-artefact.ts';

/** Resolves to an exit code. Rejects with errors whose message says everything. */
export async function runAuthoring(
  command: AuthoringCommand,
  show: (lines: readonly string[]) => void,
): Promise<number> {
  switch (command.action) {
    case 'new':
      show(createPackage(command.folder, command.name));
      return 0;
    case 'test':
      return runTests(readPackage(command.folder));
    case 'build': {
      const artefact = await buildArtefact(readPackage(command.folder));
      show(writeBundle(artefact, command.out ?? join(command.folder, 'dist')));
      return 0;
    }
    case 'pack':
      show(writePackedArtefact(await buildArtefact(readPackage(command.folder)), command.out));
      return 0;
  }
}
