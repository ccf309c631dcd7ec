/** The container image, as far as it can be tried without building it: from the very paths that the Dockerfile copies. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Instruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommand } from '../../../core/parse-command.ts';
import { loadSettings } from '../../../core/settings/load-settings.ts';
import { findFreePort } from '../../support/free-port.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { ROOT, readDockerfile, readText } from './repository-files.ts';

const APP = '/opt/tollgate';

const dockerfile = readDockerfile();
const instructions = dockerfile.getInstructions();
const lastStage = instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === 'FROM'));
const argumentsOf = (instruction: Instruction) => instruction.getArguments().map((one) => one.getValue());
const ofKeyword = (keyword: string) => lastStage.filter((one) => one.getKeyword() === keyword);

/** The words of an exec form. Its JSON must be JSON: Docker takes anything else for a shell command, without a word. */
function execForm(instruction: Instruction | undefined): readonly string[] {
  const text = instruction?.getArgumentsContent() ?? '';
  return JSON.parse(text.slice(text.indexOf('['))) as readonly string[];
}

const environment = Object.fromEntries(
  dockerfile
    .getENVs()
    .flatMap((env) => env.getProperties().map((property) => [property.getName(), property.getValue() ?? ''])),
);

const copies = dockerfile.getCOPYs().map((copy) => {
  const paths = argumentsOf(copy);
  return { from: copy.getFromFlag()?.getValue(), sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
});
const copiedFromHere = copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources);

describe('the Dockerfile', () => {
  it('is one, by the rules of Docker', () => {
    expect(validate(readText('Dockerfile')).map(({ message }) => message)).toEqual([]);
  });

  it('is based on a Linux whose glibc loads the HTTP server', () => {
    // Trixie has 2.41. The builder has to be alike: npm chooses packages by the C library.
    const images = dockerfile.getFROMs().map((from) => from.getImage());
    expect(images).toEqual([
      expect.stringMatching(/^node:24-trixie/),
      expect.stringMatching(/^debian:trixie/),
    ]);
  });

  it('copies what is there, and what .dockerignore lets through', () => {
    const allowed = readText('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(copiedFromHere.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copiedFromHere.filter((path) => !allowed.includes(path.split('/')[0] ?? ''))).toEqual([]);
    expect(allowed.filter((path) => !copiedFromHere.some((source) => source.split('/')[0] === path))).toEqual(
      [],
    );
  });

  it('installs what production needs, runs as nobody special and is stopped by SIGTERM', () => {
    expect(readText('Dockerfile')).toMatch(/npm ci --omit=dev$/m);
    expect(ofKeyword('USER').map(argumentsOf)).toEqual([['10001:10001']]);
    expect(ofKeyword('STOPSIGNAL').map(argumentsOf)).toEqual([['SIGTERM']]);
    expect(ofKeyword('VOLUME').map(argumentsOf)).toEqual([[environment['TOLLGATE_DATA_DIR']]]);
  });

  it('sets settings that exist, and names the ports they stand for', () => {
    const { settings, warnings } = loadSettings(environment);
    expect(warnings).toEqual([]);
    const ports = [...settings.proxyListen, ...settings.adminListen, ...settings.statusListen].map(
      ({ port }) => String(port),
    );
    expect(ofKeyword('EXPOSE').flatMap(argumentsOf)).toEqual(ports);
    expect(settings.statusListen).toMatchObject([{ address: '0.0.0.0' }]);
    expect(settings.adminListen).toMatchObject([{ address: '127.0.0.1' }]);
  });

  it('takes a command of the program behind its name, and starts without one', () => {
    const [entrypoint] = dockerfile.getENTRYPOINTs();
    expect(execForm(entrypoint)).toEqual(['node', `${APP}/core/cli.ts`]);
    expect(parseCommand(execForm(dockerfile.getCMDs().at(-1)))).toEqual({ kind: 'start' });
    expect(ofKeyword('WORKDIR').map(argumentsOf)).toEqual([[APP]]);
  });
});

describe('what the image holds', () => {
  let folder: string;
  let app: string;
  let database: TestDatabase;
  const processes: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-image-'));
    app = join(folder, 'app');
    for (const { from, sources, target } of copies) {
      if (from === undefined) for (const source of sources) copyIn(source, target);
    }
    linkProductionPackages();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    for (const one of processes) one.kill('SIGKILL');
    await database?.drop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** A folder's contents go into the target, a file goes into it under its name. */
  function copyIn(source: string, target: string): void {
    const isFolder = readText('Dockerfile').includes(`COPY ${source} ${source}/`);
    const to = isFolder ? join(app, target) : join(app, target, source.split('/').at(-1) ?? '');
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(ROOT, source), to, { recursive: true, filter: (path) => !path.includes('node_modules') });
  }

  /** What `npm ci --omit=dev` leaves, by the lock file: an import of anything else fails here as it would there. */
  function linkProductionPackages(): void {
    const lock = JSON.parse(readText('package-lock.json')) as {
      readonly packages: Readonly<
        Record<string, { readonly dev?: boolean; readonly devOptional?: boolean; readonly link?: boolean }>
      >;
    };
    for (const [path, entry] of Object.entries(lock.packages)) {
      const isNested = path.indexOf('node_modules/', 1) > 0 || !path.startsWith('node_modules/');
      if (isNested || entry.dev === true || !existsSync(join(ROOT, path))) continue;
      mkdirSync(dirname(join(app, path)), { recursive: true });
      symlinkSync(entry.link === true ? join(app, 'sdk') : join(ROOT, path), join(app, path));
    }
    mkdirSync(join(app, 'node_modules/.bin'));
    symlinkSync(join(ROOT, 'node_modules/.bin/node'), join(app, 'node_modules/.bin/node'));
  }

  /** Words and environment as in the container, with this folder for the container's. */
  function run(words: readonly string[], ports: Readonly<Record<string, string>> = {}): ChildProcess {
    const [program = '', ...args] = words.map((word) => word.replace(APP, app));
    const child = spawn(program, args, {
      cwd: app,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...environment,
        PATH: join(app, 'node_modules/.bin'),
        TOLLGATE_DATA_DIR: join(folder, 'data'),
        TOLLGATE_WORKERS: '1',
        DATABASE_URL: database.url,
        ...ports,
      },
    });
    processes.push(child);
    return child;
  }

  const outputOf = (child: ChildProcess) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
    }
    return () => text;
  };
  const endOf = (child: ChildProcess) =>
    new Promise<number | null>((resolve) => child.once('close', (exitCode) => resolve(exitCode)));

  it('migrates a database, serves, is found healthy and stops when asked', { timeout: 90_000 }, async () => {
    const entrypoint = execForm(dockerfile.getENTRYPOINTs().at(-1));
    const migrations = run([...entrypoint, 'migrations', 'up']);
    const migrationsOutput = outputOf(migrations);
    expect([await endOf(migrations), migrationsOutput()]).toEqual([
      0,
      expect.stringContaining('0001_core_entities: done'),
    ]);

    const statusPort = String(await findFreePort());
    const gateway = run([...entrypoint, ...execForm(dockerfile.getCMDs().at(-1))], {
      TOLLGATE_PROXY_LISTEN: `127.0.0.1:${await findFreePort()}`,
      TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}`,
      TOLLGATE_STATUS_LISTEN: `127.0.0.1:${statusPort}`,
    });
    const gatewayOutput = outputOf(gateway);
    const ended = endOf(gateway);
    const [program = '', ...args] = execForm(dockerfile.getHEALTHCHECKs().at(-1)).map((word) =>
      word.replace('8100', statusPort),
    );
    const check = () =>
      spawnSync(program, args, { env: { PATH: join(app, 'node_modules/.bin') }, timeout: 10_000 }).status;
    expect(check()).toBe(1);
    while (check() !== 0) {
      if (gateway.exitCode !== null) throw new Error(`the gateway ended:\n${gatewayOutput()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    gateway.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(check()).toBe(1);
  });

  it('is no more than that: neither tests nor data nor documentation', () => {
    expect(readFileSync(join(app, 'package.json'), 'utf8')).toContain('"tollgate"');
    expect(['test', 'bench', 'data', '.git', '.env'].filter((path) => existsSync(join(app, path)))).toEqual(
      [],
    );
  });
});
