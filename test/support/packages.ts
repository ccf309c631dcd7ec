/** The packages as they are published, made in a copy of the sources, since making them changes files for a moment. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = [
  'core',
  'sdk',
  'plugins',
  'migrations',
  'packaging',
  'docs',
  'package.json',
  'tsconfig.json',
  'LICENSE',
];

/** What processes of packages read, which may not follow links out of where they are installed. */
const COPIED = ['isolated-vm', 'node-gyp-build'];

export interface Packages {
  /** To be removed by the caller. */
  readonly folder: string;
  readonly sdk: string;
  readonly gateway: string;
}

export function makePackages(): Packages {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-packages-'));
  for (const source of SOURCES) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  execFileSync('npm', ['run', 'pack'], { cwd: folder, env: npmEnvironment(folder), stdio: 'pipe' });
  const find = (name: string) => join(folder, 'dist', name);
  return { folder, sdk: find('tollgate-sdk-0.1.0.tgz'), gateway: find('tollgate-0.1.0.tgz') };
}

/** As `npm install` leaves it, by hand: what the packages depend on is taken from this repository, not from a registry. */
export function installPackages({ sdk, gateway }: Pick<Packages, 'sdk' | 'gateway'>, home: string): void {
  const modules = join(home, 'node_modules');
  for (const [file, name] of [
    [sdk, '@tollgate/sdk'],
    [gateway, 'tollgate'],
  ] as const) {
    const place = join(modules, name);
    mkdirSync(place, { recursive: true });
    execFileSync('tar', ['xzf', file, '--strip-components=1', '-C', place]);
  }
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || name === '@tollgate') continue;
    const [from, to] = [join(ROOT, 'node_modules', name), join(modules, name)];
    if (COPIED.includes(name)) cpSync(from, to, { recursive: true });
    else symlinkSync(from, to);
  }
  mkdirSync(join(modules, '.bin'));
  const program = join(modules, 'tollgate', readBin(join(modules, 'tollgate')));
  chmodSync(program, 0o755);
  symlinkSync(program, join(modules, '.bin/tollgate'));
}

function readBin(folder: string): string {
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: { tollgate: string };
  };
  return bin.tollgate;
}

export function npmEnvironment(home: string): Record<string, string> {
  return { PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`, HOME: home };
}
