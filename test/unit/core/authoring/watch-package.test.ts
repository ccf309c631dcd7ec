/** Sources are watched however they are saved; what is made of them is not. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { watchPackage } from '../../../../core/authoring/watch-package.ts';
import { pollUntil } from '../../../support/poll-until.ts';

let root: string;
let changes: number;
let end: () => void;

const write = (path: string) => writeFileSync(join(root, path), `${Math.random()}`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-watch-'));
  mkdirSync(join(root, 'node_modules'));
  mkdirSync(join(root, 'dist'));
  write('index.ts');
  changes = 0;
  end = watchPackage(root, () => {
    changes++;
  });
});

afterEach(() => {
  end();
  rmSync(root, { recursive: true, force: true });
});

async function expectChange(change: () => void): Promise<void> {
  const before = changes;
  change();
  await pollUntil(
    'changes',
    () => changes,
    (count) => count > before,
  );
}

it('hears of files that are written, again and again', async () => {
  for (let round = 0; round < 3; round++) await expectChange(() => write('index.ts'));
});

it('hears of files that others are put in the place of, again and again', async () => {
  for (let round = 0; round < 3; round++) {
    await expectChange(() => {
      write('.index.ts.new');
      renameSync(join(root, '.index.ts.new'), join(root, 'index.ts'));
    });
  }
});

it('hears of files in folders that come later', async () => {
  await expectChange(() => mkdirSync(join(root, 'parts')));
  await expectChange(() => write('parts/one.ts'));
  await expectChange(() => rmSync(join(root, 'parts'), { recursive: true }));
  await expectChange(() => mkdirSync(join(root, 'parts')));
  await expectChange(() => write('parts/one.ts'));
});

it('does not hear of what is installed, built, packed or only tested', async () => {
  for (const path of ['node_modules/a.js', 'dist/a.js', 'a.tollgate.json', 'a.test.ts', '.hidden'])
    write(path);
  await delay(200);
  expect(changes).toBe(0);
  await expectChange(() => write('index.ts'));
});
