/**
 * The guides for authors, followed to the letter: in an empty folder, commands are typed in order, what a block shows is
 * what comes out, and the files a page shows are put where it says.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 120_000;
const STEP =
  /(<!-- not run here: .+? -->\n)?^```sh\n(.*?)^```\n(?:```\n(.*?)^```\n)?|<!-- file: (.+?) -->\n```(?:ts|js)\n(.*?)^```\n/gms;

const pages = globSync('docs/plugins/*.md', { cwd: ROOT }).toSorted();
const templateOf = (file: string) =>
  readFileSync(join(ROOT, 'core/authoring/template', file), 'utf8').replaceAll('my-plugin', 'hello');

it('are there', () => {
  expect(pages.map((page) => basename(page))).toEqual(
    expect.arrayContaining([
      'entities.md',
      'first-plugin.md',
      'porting-from-kong.md',
      'reference.md',
      'shipping.md',
      'testing.md',
    ]),
  );
});

it('show a new plugin as it is', () => {
  expect(readFileSync(join(ROOT, 'docs/plugins/first-plugin.md'), 'utf8')).toContain(templateOf('index.ts'));
});

it.each(pages)('%s leads to pages that are there', (page) => {
  const links = readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g);
  const paths = [...links].map(([, link = '']) => join(ROOT, dirname(page), link));
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

const guides = pages.filter((page) => readFileSync(join(ROOT, page), 'utf8').includes('```sh'));

describe.each(guides)('%s', { timeout: TIMEOUT_MS }, (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const steps = [...text.matchAll(STEP)].filter(([, mark]) => mark === undefined);
  let gateway: Gateway;
  let folder: string;
  let programs: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-guide-'));
    programs = mkdtempSync(join(tmpdir(), 'tollgate-programs-'));
    const program = join(programs, 'tollgate');
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'core/cli.ts')}" "$@"\n`);
    chmodSync(program, 0o755);
    gateway = await startGateway();
  }, TIMEOUT_MS);

  afterAll(async () => {
    await gateway?.stop();
    for (const made of [folder, programs]) rmSync(made, { recursive: true, force: true });
  });

  function type(command: string): string {
    const ported = command
      .replaceAll(':8000', `:${new URL(gateway.proxyUrl).port}`)
      .replaceAll(':8001', `:${new URL(gateway.adminUrl).port}`);
    const path = [programs, dirname(process.execPath), process.env['PATH']].join(delimiter);
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', ported], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: path, HOME: folder },
      timeout: TIMEOUT_MS,
    });
    if (status !== 0) throw new Error(`exit code ${status}; it printed:\n${stdout}${stderr}`);
    return `${stdout}${stderr}`.replaceAll('\r', '').trimEnd();
  }

  it.each(steps.map(([, , command, output, file, content], at) => ({ at, command, output, file, content })))(
    'step $at',
    ({ command, output, file, content }) => {
      if (file !== undefined) writeFileSync(join(folder, file), content ?? '');
      else expect(type(command ?? '')).toBe((output ?? '').trimEnd());
    },
  );
});
