/** The packages as strangers get them: from tarballs, in a folder of their own, far from these sources. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_LEVEL } from '../../sdk/protocol/version.ts';
import { installPackages, makePackages, npmEnvironment, type Packages } from '../support/packages.ts';
import { startGateway } from '../support/start-gateway.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 120_000;

const PLUGIN = `
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'greeter',
  version: '0.1.0',
  priority: 10,
  schema: s.config({ text: s.string({ required: true }) }),
  async access(kong, { text }) {
    const answer = await kong.fetch('https://example.com');
    if (answer.ok) return kong.response.exit(200, { text: text.trim() });
  },
});
`;

let packages: Packages;
let home: string;

beforeAll(() => {
  packages = makePackages();
  home = mkdtempSync(join(tmpdir(), 'tollgate-stranger-'));
  writeFileSync(join(home, 'package.json'), '{"name":"stranger","type":"module"}');
  installPackages(packages, home);
}, TIMEOUT_MS);

afterAll(() => {
  for (const folder of [packages?.folder, home]) if (folder) rmSync(folder, { recursive: true, force: true });
});

function run(command: string, args: readonly string[], cwd = home) {
  const environment = npmEnvironment(home);
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...environment, PATH: join(home, 'node_modules/.bin') + delimiter + environment['PATH'] },
    timeout: TIMEOUT_MS,
  });
  return { status, stdout, stderr };
}

const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const sdk = (...path: string[]) => join(home, 'node_modules/@tollgate/sdk', ...path);

describe('@tollgate/sdk', () => {
  it('has scripts and types, and nothing that would have to be compiled', () => {
    const files = globSync('**/*.{js,ts}', { cwd: sdk() });
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
    for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE', 'docs/first-plugin.md']) {
      expect(existsSync(sdk(file)), file).toBe(true);
    }
  });

  it('declares its version and the level of its API', async () => {
    const manifest = readJson(sdk('package.json'));
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(manifest.tollgate).toEqual({ apiLevel: API_LEVEL });
    expect(manifest).not.toHaveProperty('scripts');
    const printed = run('node', ['-e', "import('@tollgate/sdk').then((sdk) => console.log(sdk.API_LEVEL))"]);
    expect(printed).toEqual({ status: 0, stdout: `${API_LEVEL}\n`, stderr: '' });
  });

  it('leads from its README to pages that come along', () => {
    const links = readFileSync(sdk('README.md'), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g);
    const missing = [...links].map(([, link = '']) => link).filter((link) => !existsSync(sdk(link)));
    expect(missing).toEqual([]);
  });

  it('leaves the checkout as it was', () => {
    for (const file of ['package.json', 'README.md']) {
      expect(readFileSync(join(packages.folder, 'sdk', file), 'utf8')).toBe(
        readFileSync(join(ROOT, 'sdk', file), 'utf8'),
      );
    }
    expect(existsSync(join(packages.folder, 'sdk/dist'))).toBe(false);
  });

  it.each([
    ['bundler', 'esnext'],
    ['nodenext', 'nodenext'],
  ])('type-checks a plugin strictly with moduleResolution %s', (moduleResolution, module) => {
    const check = (source: string) => {
      writeFileSync(join(home, 'greeter.ts'), source);
      const libraries = ['--target', 'es2024', '--lib', 'es2024', '--types', '', '--skipLibCheck', 'false'];
      const options = ['--strict', '--exactOptionalPropertyTypes', '--module', module];
      const resolution = ['--moduleResolution', moduleResolution, '--ignoreConfig', '--noEmit'];
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      return run('node', [tsc, ...options, ...resolution, ...libraries, 'greeter.ts']);
    };
    expect(check(PLUGIN)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(check(PLUGIN.replace('text.trim()', 'text.times(2)')).stdout).toMatch(/'times' does not exist/);
    expect(check(PLUGIN.replace('async access(', 'async log(')).stdout).toMatch(
      /'response'|'exit' does not exist/,
    );
  });

  it('says what the test kit needs where the gateway is not installed', () => {
    const alone = mkdtempSync(join(tmpdir(), 'tollgate-alone-'));
    try {
      mkdirSync(join(alone, 'node_modules/@tollgate'), { recursive: true });
      run('cp', ['-r', sdk(), join(alone, 'node_modules/@tollgate/sdk')]);
      const script = "import('@tollgate/sdk/testing').then((kit) => kit.loadPlugin(new URL('file:///')))";
      expect(run('node', ['-e', script], alone).stderr).toContain('npm install --save-dev tollgate');
    } finally {
      rmSync(alone, { recursive: true });
    }
  });
});

describe('tollgate', { timeout: TIMEOUT_MS }, () => {
  it('is a program', () => {
    const { version } = readJson(ROOT, 'package.json');
    expect(run('tollgate', ['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('takes an author from nothing to a packed plugin', () => {
    expect(run('tollgate', ['plugin', 'new', 'hello'])).toMatchObject({ status: 0, stderr: '' });
    const { dependencies, devDependencies } = readJson(home, 'hello/package.json');
    const versions = {
      sdk: readJson(sdk('package.json')).version,
      gateway: readJson(ROOT, 'package.json').version,
    };
    expect(dependencies).toEqual({ '@tollgate/sdk': `^${versions.sdk}` });
    expect(devDependencies).toEqual({ tollgate: `^${versions.gateway}` });
    expect(run('tollgate', ['plugin', 'test', 'hello'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('pass 4'),
    });
    expect(run('node', ['--test'], join(home, 'hello'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('pass 4'),
    });
    expect(run('tollgate', ['plugin', 'pack', 'hello'])).toMatchObject({ status: 0, stderr: '' });
    const here = spawnSync(
      process.execPath,
      [join(ROOT, 'core/cli.ts'), 'plugin', 'pack', 'hello', '--out', 'b'],
      {
        cwd: home,
      },
    );
    expect(here.status).toBe(0);
    expect(readJson(home, 'hello-0.1.0.tollgate.json').manifest).toEqual(readJson(home, 'b').manifest);
  });

  it('depends in a new plugin on the files it was itself installed from', () => {
    const given = { '@tollgate/sdk': 'file:../packages/sdk.tgz', tollgate: 'file:../packages/gateway.tgz' };
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'stranger', dependencies: given }));
    run('tollgate', ['plugin', 'new', 'plugins/other']);
    expect(readJson(home, 'plugins/other/package.json')).toMatchObject({
      dependencies: { '@tollgate/sdk': 'file:../../../packages/sdk.tgz' },
      devDependencies: { tollgate: 'file:../../../packages/gateway.tgz' },
    });
  });

  it('runs errors of the kit through instanceof, whoever has thrown them', () => {
    const script = `
      import { ConfigurationError, loadPlugin } from '@tollgate/sdk/testing';
      const kit = await loadPlugin(new URL('./hello/index.ts', import.meta.url));
      try { kit.complete({}); } catch (error) { console.log(error instanceof ConfigurationError); }
      kit.close();`;
    writeFileSync(join(home, 'kit.mjs'), script);
    expect(run('node', ['kit.mjs'])).toMatchObject({ status: 0, stdout: 'true\n' });
  });

  it('refuses to bundle for an SDK of another API level', () => {
    const manifest = readJson(sdk('package.json'));
    const place = join(home, 'hello/node_modules/@tollgate/sdk');
    mkdirSync(place, { recursive: true });
    writeFileSync(
      join(place, 'package.json'),
      JSON.stringify({ ...manifest, version: '9.0.0', tollgate: { apiLevel: 9 } }),
    );
    expect(run('tollgate', ['plugin', 'pack', 'hello'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('has @tollgate/sdk 9.0.0 installed, of API level 9'),
    });
    rmSync(join(home, 'hello/node_modules'), { recursive: true });
  });

  it('serves, with the plugins that come along and in isolates as in a checkout', async () => {
    const gateway = await startGateway({ program: join(home, 'node_modules/tollgate/core/cli.js') });
    try {
      const post = (path: string, body: object) =>
        fetch(gateway.adminUrl + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      expect((await post('/routes', { name: 'guarded', paths: ['/guarded'] })).status).toBe(201);
      expect((await post('/routes/guarded/plugins', { name: 'key-auth' })).status).toBe(201);
      const answer = await fetch(`${gateway.proxyUrl}/guarded`);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Key']);
      const url = ['--admin-url', gateway.adminUrl];
      expect(run('tollgate', ['plugin', 'publish', 'hello', ...url])).toMatchObject({
        status: 0,
        stderr: '',
      });
    } finally {
      await gateway.stop();
    }
  });
});
