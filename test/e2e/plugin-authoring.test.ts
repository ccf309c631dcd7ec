/** The way of an author: from an empty folder to a file that can be published, by the commands a user types. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readArtefact } from '../../core/sandbox/plugin-artefact.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CLI = join(ROOT, 'core/cli.ts');
const TIMEOUT_MS = 120_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-authoring-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd = folder) {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: path, HOME: folder },
    timeout: TIMEOUT_MS,
  });
  return { status, stdout, stderr };
}

const tollgate = (...args: string[]) => run(process.execPath, [CLI, 'plugin', ...args]);
const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');
const write = (path: string, text: string) => writeFileSync(join(folder, path), text);

function edit(path: string, from: string, to: string): void {
  const text = read(path);
  expect(text).toContain(from);
  write(path, text.replace(from, to));
}

describe('a new plugin', { timeout: TIMEOUT_MS }, () => {
  it('passes its own tests as it is', () => {
    expect(tollgate('new', 'hello')).toMatchObject({ status: 0, stderr: '' });
    const tested = tollgate('test', 'hello');
    expect(tested.stdout).toContain('pass 4');
    expect(tested.status).toBe(0);
  });

  it('passes its tests and the type checker as an npm package of its own, without a registry', () => {
    tollgate('new', 'hello', '--name', '@acme/hello');
    const home = join(folder, 'hello');
    expect(run('npm', ['install', '--offline', '--no-audit', '--no-fund'], home)).toMatchObject({
      status: 0,
    });
    expect(run('npm', ['test'], home)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('pass 4'),
    });
    const types = ['--typeRoots', join(ROOT, 'node_modules/@types')];
    expect(run(join(ROOT, 'node_modules/.bin/tsc'), types, home)).toMatchObject({ status: 0, stdout: '' });
  });

  it('fails its tests once it does something else', () => {
    tollgate('new', 'hello');
    edit('hello/index.ts', 'response.error(400', 'response.error(403');
    const tested = tollgate('test', 'hello');
    expect(tested.status).toBe(1);
    expect(tested.stdout).toContain('403 !== 400');
  });

  it('is named as it should be, or not made', () => {
    expect(tollgate('new', 'here', '--name', 'Not_A_Name')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^tollgate: 'Not_A_Name' cannot name a plugin/),
    });
    mkdirSync(join(folder, 'full'));
    write('full/notes.txt', 'mine');
    expect(tollgate('new', 'full')).toMatchObject({
      status: 1,
      stderr: 'tollgate: the folder full is not empty\n',
    });
    expect(readdirSync(join(folder, 'full'))).toEqual(['notes.txt']);
  });
});

describe('a built plugin', { timeout: TIMEOUT_MS }, () => {
  it('is a script and its source map', () => {
    tollgate('new', 'hello');
    const { status, stdout } = tollgate('build', 'hello');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^hello\/dist\/hello\.js: \d+ characters\nplugin hello 0\.1\.0 \(access, response\), no capab/,
    );
    expect(JSON.parse(read('hello/dist/hello.js.map')).sources).toContain('index.ts');
    expect(read('hello/dist/hello.js')).toContain('sourceMappingURL=hello.js.map');
  });

  it('is packed into one file with a digest, the same wherever it lies', () => {
    tollgate('new', 'hello', '--name', '@acme/hello');
    mkdirSync(join(folder, 'else/where'), { recursive: true });
    cpSync(join(folder, 'hello'), join(folder, 'else/where/hello'), { recursive: true });
    const packed = tollgate('pack', 'hello');
    expect(packed).toMatchObject({ status: 0, stderr: '' });
    const artefact = readArtefact(JSON.parse(read('acme-hello-0.1.0.tollgate.json')));
    expect(artefact).toMatchObject({ name: '@acme/hello', version: '0.1.0' });
    expect(artefact.manifest.plugins.map(({ name }) => name)).toEqual(['hello']);
    expect(packed.stdout).toContain(`sha256 ${artefact.digest}`);
    expect(tollgate('pack', 'else/where/hello', '--out', 'again.json').status).toBe(0);
    expect(read('again.json')).toBe(read('acme-hello-0.1.0.tollgate.json'));
    expect(read('again.json')).not.toContain(folder);
  });

  it.each([
    [
      'an import of Node.js',
      'import { definePlugin',
      "import 'node:net';\nimport { definePlugin",
      /index\.ts:2:8: .*imports 'node:net': there is no Node\.js inside an isolate/,
    ],
    [
      'a package that is not installed',
      'import { definePlugin',
      "import 'graphql';\nimport { definePlugin",
      /index\.ts:2:8: Could not resolve "graphql"; is it among the dependencies/,
    ],
    [
      'an import of the test kit',
      'import { definePlugin',
      "import '@tollgate/sdk/testing';\nimport { definePlugin",
      /imports '@tollgate\/sdk\/testing': it is for tests, not for plugins/,
    ],
    ['a syntax error', 'access(kong, config) {', 'access(kong, config {', /index\.ts:13:\d+: Expected/],
    [
      'code that throws when it is loaded',
      'export default',
      "throw new Error('too early');\nexport default",
      /does not load in an isolate: error: too early[\s\S]*index\.ts:4:\d+/,
    ],
    [
      'a module without a default export',
      'export default definePlugin',
      'export const plugin = definePlugin',
      /No matching export .*: a plugin is `export default definePlugin/,
    ],
    [
      'code that waits while it is loaded',
      'export default',
      'await undefined;\nexport default',
      /Top-level await .*; wait inside of a handler/,
    ],
    [
      'what only Node.js has',
      'export default',
      'process.exit();\nexport default',
      /process is not defined; there is no Node\.js inside an isolate[\s\S]*index\.ts:4:\d+(?![\s\S]*boundary)/,
    ],
    ['code that never loads', 'export default', 'for (;;);\nexport default', /does not load .*timed out/],
    ['a name that no plugin may have', "name: 'hello'", "name: 'Hello World'", /name must be lower case/],
    [
      'another version than its package',
      "version: '0.1.0'",
      "version: '0.2.0'",
      /package\.json has version 0\.1\.0 and the plugin 'hello' 0\.2\.0/,
    ],
  ])('is not made of %s', (_, from, to, problem) => {
    tollgate('new', 'hello');
    edit('hello/index.ts', from, to);
    const packed = tollgate('pack', 'hello');
    expect(packed.status).toBe(1);
    expect(packed.stderr).toMatch(problem);
    expect(readdirSync(folder)).toEqual(['hello']);
  });

  it('is not made of code for the processor', () => {
    tollgate('new', 'hello');
    mkdirSync(join(folder, 'hello/node_modules/native'), { recursive: true });
    write('hello/node_modules/native/package.json', '{"name":"native","main":"index.js"}');
    write('hello/node_modules/native/index.js', "module.exports = require('./addon.node');");
    write('hello/node_modules/native/addon.node', '');
    edit('hello/index.ts', 'import { definePlugin', "import 'native';\nimport { definePlugin");
    expect(tollgate('test', 'hello')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('code for the processor cannot run inside an isolate'),
    });
  });

  it('is not written where it cannot be', () => {
    tollgate('new', 'hello');
    expect(tollgate('build', 'hello', '--out', 'hello/index.ts')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^tollgate: hello\/index\.ts\/hello\.js cannot be written: E[A-Z]+/),
    });
  });

  it.each([
    ['no package', undefined, /^tollgate: hello has no package\.json\n$/],
    ['a package.json that is no JSON', '{', /^tollgate: package\.json is no JSON/],
    ['a package without a name', '{}', /has no name/],
    ['a main module outside', '{"name":"a","version":"1.0.0","main":"../a.ts"}', /lies outside the package/],
    [
      'a main module that is not there',
      '{"name":"a","version":"1.0.0"}',
      /index\.ts, the main module of a, is not there/,
    ],
  ])('is not made of %s', (_, manifest, problem) => {
    mkdirSync(join(folder, 'hello'));
    if (manifest !== undefined) write('hello/package.json', manifest);
    expect(tollgate('build', 'hello')).toMatchObject({ status: 1, stderr: expect.stringMatching(problem) });
  });
});

describe('types that do not fit', { timeout: TIMEOUT_MS }, () => {
  beforeEach(() => {
    tollgate('new', 'hello');
    edit('hello/index.ts', 'config.text);\n  },\n\n', 'config.txt);\n  },\n\n');
  });

  it.each(['test', 'build', 'pack'])('stop plugin %s, with file and line', (action) => {
    expect(tollgate(action, 'hello')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^tollgate: the types of hello do not fit:\n {2}index\.ts:17:\d+: TS2551: Property 'txt' does not exist/,
      ),
    });
  });

  it('can be passed over', () => {
    expect(tollgate('pack', 'hello', '--skip-types')).toMatchObject({ status: 0, stderr: '' });
  });

  it('are found by the rules of the package itself', () => {
    edit('hello/index.ts', 'config.txt', 'config.text');
    edit('hello/index.ts', 'access(kong, config) {', 'access(kong, config) {\n    const unused = 1;');
    expect(tollgate('build', 'hello').status).toBe(0);
    edit('hello/tsconfig.json', '"strict": true', '"strict": true, "noUnusedLocals": true');
    expect(tollgate('build', 'hello').stderr).toContain("'unused' is declared but its value is never read");
  });
});

describe('what is packed', { timeout: TIMEOUT_MS }, () => {
  it('can be looked at before it is let in', () => {
    tollgate('new', 'hello');
    edit(
      'hello/index.ts',
      '  schema:',
      "  capabilities: { egress: ['https://api.example.com'] },\n  schema:",
    );
    tollgate('pack', 'hello');
    const { status, stdout } = tollgate('inspect', 'hello-0.1.0.tollgate.json');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^hello 0\.1\.0\nsha256 [0-9a-f]{64}, as its content has it\n/);
    expect(stdout).toContain('  may reach: egress: https://api.example.com\n');
    expect(stdout).toContain('| `text` | string | **required** |');
    expect(tollgate('inspect', 'hello').stdout).toBe(stdout);
  });

  it('is refused, here already, when it is not what its digest was made of', () => {
    tollgate('new', 'hello');
    tollgate('pack', 'hello');
    edit('hello-0.1.0.tollgate.json', 'clients must not', 'clients should not');
    for (const action of ['inspect', 'publish']) {
      expect(tollgate(action, 'hello-0.1.0.tollgate.json')).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/hello-0\.1\.0\.tollgate\.json is no artefact: digest does not match/),
      });
    }
    expect(tollgate('inspect', 'hello/index.ts').stderr).toMatch(
      /index\.ts is no artefact: 'tollgate plugin pack'/,
    );
  });
});

it('writes the table of a configuration into the README, and leaves the rest of it', {
  timeout: TIMEOUT_MS,
}, () => {
  tollgate('new', 'hello');
  const before = read('hello/README.md');
  expect(tollgate('docs', 'hello')).toMatchObject({
    status: 0,
    stdout: 'hello/README.md is as the schema has it\n',
  });
  edit('hello/index.ts', 'What it says.', 'What to say.');
  expect(tollgate('docs', 'hello')).toMatchObject({
    status: 0,
    stdout: 'hello/README.md: written from the schema\n',
  });
  expect(read('hello/README.md')).toContain('| `text` | string | **required** | What to say. |');
  expect(read('hello/README.md').split('<!--')[0]).toBe(before.split('<!--')[0]);
});
