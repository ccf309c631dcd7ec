/** The commands of authors. */
import { join } from 'node:path';
import { buildArtefact } from './build-artefact.ts';
import { createPackage } from './create-package.ts';
import { develop } from './develop.ts';
import type { AuthoringCommand } from './parse-authoring.ts';
import { readPackage } from './read-package.ts';
import { runTests } from './run-tests.ts';
import { writeBundle, writePackedArtefact } from './write-artefact.ts';

/** `waitForSignal`: until the author ends a command that goes on. Resolves to an exit code. Rejects with errors whose message says everything. */
export async function runAuthoring(
  command: AuthoringCommand,
  show: (lines: readonly string[]) => void,
  waitForSignal: () => Promise<void>,
): Promise<number> {
  switch (command.action) {
    case 'new':
      show(createPackage(command.folder, command.name));
      return 0;
    case 'test':
      return runTests(readPackage(command.folder));
    case 'dev': {
      const { folder, adminUrl } = command;
      await develop({ folder, adminUrl, show, stopped: waitForSignal() });
      return 0;
    }
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
