/** The commands of authors. */
import { join } from 'node:path';
import { bundleForAuthor } from '../sandbox/bundle-package.ts';
import { buildArtefact } from './build-artefact.ts';
import { checkTypes } from './check-types.ts';
import { createPackage } from './create-package.ts';
import { develop } from './develop.ts';
import type { AuthoringCommand } from './parse-authoring.ts';
import { readPackage } from './read-package.ts';
import { runTests } from './run-tests.ts';
import { writeBundle, writePackedArtefact } from './write-artefact.ts';
import { writeReadme } from './write-readme.ts';

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
    case 'test': {
      const authored = readPackage(command.folder);
      // For its advice on imports, which the compiler would give in the terms of Node.js.
      await bundleForAuthor({ name: authored.name, entries: [authored.entry] }, authored);
      if (!command.skipsTypes) checkTypes(authored);
      return runTests(authored);
    }
    case 'dev': {
      const { folder, adminUrl } = command;
      await develop({ folder, adminUrl, show, stopped: waitForSignal() });
      return 0;
    }
    case 'build': {
      const { folder, out = join(folder, 'dist') } = command;
      const { artefact, remarks } = await buildChecked(command);
      show([...writeBundle(artefact, out), ...remarks]);
      return 0;
    }
    case 'pack': {
      const { artefact, remarks } = await buildChecked(command);
      show([...writePackedArtefact(artefact, command.out), ...remarks]);
      return 0;
    }
    case 'docs':
      show(writeReadme(command.folder, await buildArtefact(readPackage(command.folder))));
      return 0;
  }
}

/** Bundled first: what cannot be imported is said with advice there. */
async function buildChecked({ folder, skipsTypes }: BuildCommand) {
  const authored = readPackage(folder);
  const artefact = await buildArtefact(authored);
  const isChecked = skipsTypes || checkTypes(authored);
  return { artefact, remarks: isChecked ? [] : ['types are not checked: npm install --save-dev typescript'] };
}

type BuildCommand = Extract<AuthoringCommand, { readonly action: 'build' | 'pack' }>;
