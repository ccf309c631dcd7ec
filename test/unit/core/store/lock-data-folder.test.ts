import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../../../core/store/entity-error.ts';
import { lockDataFolder } from '../../../../core/store/lock-data-folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('lets one holder in at a time', async () => {
  const dataDir = join(folder, 'one');
  const unlock = await lockDataFolder(dataDir);
  await expect(lockDataFolder(dataDir)).rejects.toBeInstanceOf(StoreUnavailableError);
  await unlock();
  await (await lockDataFolder(dataDir))();
});

it('names the process that holds the folder', async () => {
  const dataDir = join(folder, 'other');
  await writeFile(`${dataDir}.lock`, String(process.ppid));
  const error = await lockDataFolder(dataDir).catch((reason: Error) => reason);
  expect((error as Error).cause).toMatchObject({
    message: `${dataDir} is in use by process ${process.ppid}`,
  });
});

it.each(['999999999', '', 'nonsense'])(
  'takes over what a process that is gone left behind (%j)',
  async (mark) => {
    const dataDir = join(folder, `stale${mark}`);
    await writeFile(`${dataDir}.lock`, mark);
    const unlock = await lockDataFolder(dataDir);
    expect(await readFile(`${dataDir}.lock`, 'utf8')).toBe(String(process.pid));
    await unlock();
  },
);

it('takes over its own mark of a life before, when the process id came back', async () => {
  const dataDir = join(folder, 'reborn');
  await writeFile(`${dataDir}.lock`, String(process.pid));
  await (await lockDataFolder(dataDir))();
});
