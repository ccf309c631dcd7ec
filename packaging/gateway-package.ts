/**
 * The package `tollgate`: the gateway, its program and the test kit, laid out as in the repository with JavaScript in the
 * place of TypeScript. Plugins that come along stay as they are: they are bundled when the gateway starts.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compile, ROOT } from './compile.ts';

const FOLDERS = ['core', 'sdk', 'migrations'];
/** What is read rather than imported. */
const ASSETS = ['core/authoring/template', 'sdk/package.json', 'LICENSE'];
const README = `# tollgate

An API gateway that secures, tiers and meters APIs, with plugins in TypeScript run in V8 isolates.

| command | what it does |
| --- | --- |
| \`npx tollgate start\` | runs the gateway: proxy on port 8000, Admin API on 127.0.0.1:8001 |
| \`npx tollgate plugin new my-plugin\` | writes a plugin that passes its own tests |
| \`npx tollgate --help\` | shows all commands and settings |

How plugins are written is in the guides of \`@tollgate/sdk\`. Install with \`--ignore-scripts\`: nothing here needs one.
`;

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** Fills `folder` anew. */
export function stageGatewayPackage(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  compile({ folders: FOLDERS, rootDir: ROOT, outDir: folder, declarations: false });
  const plugins = globSync('plugins/**/*.{ts,md}', { cwd: ROOT });
  for (const path of [...ASSETS, ...plugins]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  const inner = readManifest('sdk/package.json');
  writeManifest(join(folder, 'sdk/package.json'), {
    ...inner,
    scripts: undefined,
    exports: compiled(inner.exports),
  });
  writeManifest(join(folder, 'package.json'), publishedManifest(readManifest('package.json'), inner.version));
  writeFileSync(join(folder, 'README.md'), README);
}

function publishedManifest(manifest: Manifest, sdkVersion: string): Record<string, unknown> {
  const { private: _, scripts, devDependencies, ...published } = manifest;
  const dependencies = { '@tollgate/sdk': sdkVersion, ...(published['dependencies'] as object) };
  return {
    ...published,
    bin: { [String(manifest['name'])]: 'core/cli.js' },
    exports: compiled(manifest.exports),
    dependencies,
  };
}

function compiled(exports: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(exports).map(([door, path]) => [door, path.replace(/\.ts$/, '.js')]),
  );
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Manifest;
}

function writeManifest(path: string, manifest: object): void {
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
