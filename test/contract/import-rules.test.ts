/**
 * Who may import whom. This table is the rule; the test reads the imports of all sources and compares. A folder
 * may always import itself. `types` may only be imported with `import type`: nothing of them exists at run time.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Rule {
  readonly from: string;
  readonly may: readonly string[];
  readonly types?: readonly string[];
  /** Node's own modules may be imported. */
  readonly node?: boolean;
  /** Third-party packages, each at home in this folder only (kysely also in migrations). */
  readonly packages?: readonly string[];
}

/** The first row whose folder holds a file decides; `*` means anything in the repository but tests and benches. */
const RULES: readonly Rule[] = [
  { from: 'sdk/schema', may: [] },
  { from: 'sdk/protocol', may: ['sdk/schema'] },
  // Its other half, core/testing, it finds when a test asks for it: decision 0016.
  { from: 'sdk/testing', may: ['sdk'], node: true },
  { from: 'sdk', may: ['sdk'] },
  { from: 'plugins', may: ['@tollgate/sdk'] },
  { from: 'migrations', may: [], packages: ['kysely'] },

  { from: 'core/errors.ts', may: [] },
  { from: 'core/settings', may: ['core/errors.ts'], node: true },
  {
    from: 'core/docs',
    may: ['core/settings', 'core/errors.ts', 'core/entities', 'sdk/schema'],
    node: true,
    packages: ['typescript'],
  },
  {
    from: 'core/telemetry',
    may: ['core/errors.ts', 'sdk/protocol'],
    types: ['core/settings', 'core/health'],
    node: true,
    packages: [
      'pino',
      '@grpc/grpc-js',
      '@opentelemetry/api',
      '@opentelemetry/exporter-logs-otlp-grpc',
      '@opentelemetry/exporter-logs-otlp-proto',
      '@opentelemetry/exporter-trace-otlp-grpc',
      '@opentelemetry/exporter-trace-otlp-proto',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-logs',
      '@opentelemetry/sdk-trace',
    ],
  },
  {
    from: 'core/counters',
    may: ['core/errors.ts'],
    types: ['sdk/protocol'],
    node: true,
    packages: ['ioredis'],
  },
  {
    from: 'core/crypto',
    may: ['core/errors.ts'],
    types: ['sdk/protocol'],
    node: true,
    packages: ['@peculiar/x509', 'reflect-metadata'],
  },
  { from: 'core/egress', may: ['core/errors.ts', 'sdk/protocol'], node: true, packages: ['undici'] },
  { from: 'core/secrets', may: ['sdk/schema'], types: ['sdk/protocol'] },
  { from: 'core/cache', may: ['core/errors.ts'], node: true },

  // The store's failures are also those of completing an entity before it is stored, and only the router knows which
  // patterns it can run.
  {
    from: 'core/entities',
    may: ['sdk/schema', 'sdk/protocol/crypto.ts', 'core/store/entity-error.ts', 'core/router/path-regex.ts'],
    node: true,
  },
  {
    from: 'core/store',
    may: ['core/entities', 'core/errors.ts', 'sdk/schema', 'migrations'],
    node: true,
    packages: ['kysely', 'pg', '@electric-sql/pglite'],
  },
  {
    from: 'core/admin',
    may: ['core/entities', 'core/store', 'core/errors.ts', 'sdk/schema'],
    types: ['core/packages', 'core/health'],
    node: true,
    packages: ['fastify'],
  },

  { from: 'core/router', may: ['core/errors.ts'], types: ['sdk/protocol'], node: true },
  { from: 'core/pipeline', may: ['core/errors.ts'], types: ['sdk/protocol'] },
  {
    from: 'core/http',
    may: ['core/errors.ts'],
    types: ['sdk/protocol'],
    node: true,
    packages: ['uWebSockets.js'],
  },
  { from: 'core/dns', may: ['core/errors.ts'], node: true },
  { from: 'core/balancing', may: ['core/errors.ts'] },
  // How a target is written is the entity's business, for the data plane too.
  {
    from: 'core/health',
    may: ['core/errors.ts', 'core/balancing', 'core/dns', 'core/entities/target-address.ts'],
    node: true,
  },
  {
    from: 'core/upstream',
    may: ['core/errors.ts', 'core/dns', 'core/balancing'],
    types: ['core/http', 'sdk/protocol'],
    node: true,
  },
  {
    from: 'core/gateway',
    may: [
      'core/errors.ts',
      'core/router',
      'core/pipeline',
      'core/upstream',
      'core/balancing',
      'core/telemetry',
      'sdk/protocol',
    ],
    types: ['core/http', 'core/config'],
    node: true,
  },
  {
    from: 'core/sandbox',
    // Patterns of strangers' schemas have to be some that the router's engine can run.
    may: ['core/errors.ts', 'sdk/protocol', 'sdk/guest', 'sdk/schema', 'core/router/path-regex.ts'],
    types: ['core/pipeline', 'core/gateway'],
    node: true,
    packages: ['isolated-vm', 'esbuild'],
  },
  {
    from: 'core/plugin-process',
    may: ['core/pipeline', 'core/sandbox', 'sdk/protocol'],
    node: true,
  },
  {
    from: 'core/config',
    may: [
      'core/errors.ts',
      'core/cache',
      'core/store',
      'core/entities',
      'core/router',
      'core/pipeline',
      'core/gateway',
    ],
    types: ['core/http', 'core/upstream', 'core/balancing', 'sdk/protocol'],
    node: true,
  },
  // The request path of a test: parts of the real one around a host in memory.
  {
    from: 'core/testing',
    may: [
      'core/crypto',
      'core/egress',
      'core/sandbox',
      'core/gateway',
      'core/router',
      'core/config',
      'core/entities',
      'core/store/entity-error.ts',
      'sdk/testing',
    ],
    types: ['core/http', 'core/pipeline', 'sdk'],
    node: true,
  },
  {
    from: 'core/packages',
    may: [
      'core/errors.ts',
      'core/config',
      'core/entities',
      'core/data-plane/active-package.ts',
      'core/sandbox/plugin-artefact.ts',
      'core/store',
      'sdk/protocol',
    ],
    types: ['core/data-plane', 'core/sandbox'],
    node: true,
  },
  // What authors run. The template is theirs: it may import what a plugin and its tests may.
  { from: 'core/authoring/template', may: ['@tollgate/sdk', 'sdk/testing'], node: true },
  {
    from: 'core/authoring',
    may: ['core/docs', 'core/sandbox', 'core/settings', 'sdk/protocol/version.ts'],
    types: ['sdk/protocol'],
    node: true,
  },
  {
    from: 'core/publishing',
    may: ['core/authoring', 'core/docs'],
    types: ['core/packages', 'core/sandbox'],
    node: true,
  },
  // Composition roots: of a worker, and of the whole node.
  { from: 'core/data-plane', may: ['*'], node: true },
  { from: 'core', may: ['*'], node: true },
];

interface FoundImport {
  readonly file: string;
  /** A path inside the repository, `node:…`, or a package name. */
  readonly target: string;
  readonly isTypeOnly: boolean;
}

const IMPORT =
  /^(?:import|export)\s+(type\s)?[^'";]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|\brequire(?:Native)?(?:\.resolve)?\('([^']+)'\)/gm;

const files = globSync(['core/**/*.ts', 'sdk/**/*.ts', 'plugins/**/*.ts', 'migrations/**/*.ts'], {
  cwd: ROOT,
  exclude: ['**/node_modules/**'],
}).toSorted();
const imports = files.flatMap(readImports);

function readImports(file: string): FoundImport[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(IMPORT)].map((match) => {
    const specifier = match.slice(2).find((text) => text !== undefined) ?? '';
    return { file, target: resolveTarget(file, specifier), isTypeOnly: match[1] !== undefined };
  });
}

function resolveTarget(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return join(dirname(file), specifier);
  // Inside a plugin only the door of the package counts; elsewhere its subpaths are the folders they stand for.
  const subpath = /^@tollgate\/sdk\/(.+)$/.exec(specifier)?.[1];
  if (subpath !== undefined) return `sdk/${subpath}`;
  if (specifier.startsWith('node:') || specifier === '@tollgate/sdk') return specifier;
  return packageOf(specifier);
}

function packageOf(specifier: string): string {
  const [scope = '', name = ''] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

const isInside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

function isAllowed({ file, target, isTypeOnly }: FoundImport): boolean {
  const rule = RULES.find(({ from }) => isInside(file, from));
  if (rule === undefined) return false;
  if (target.startsWith('node:')) return rule.node === true;
  const isOurs =
    target === '@tollgate/sdk' ||
    ['core', 'sdk', 'plugins', 'migrations'].some((top) => isInside(target, top));
  if (!isOurs) return target === 'package.json' || rule.packages?.includes(target) === true;
  if (isInside(target, homeOf(file, rule))) return true;
  const allowed = isTypeOnly ? [...rule.may, ...(rule.types ?? [])] : rule.may;
  return allowed.includes('*') || allowed.some((folder) => isInside(target, folder));
}

/** A plugin is at home in its own folder, not in that of all plugins. */
function homeOf(file: string, rule: Rule): string {
  return rule.from === 'plugins' ? file.split('/').slice(0, 2).join('/') : rule.from;
}

describe('import rules', () => {
  it('finds sources and imports to check', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(files.length / 2);
  });

  it('are kept by every import', () => {
    const broken = imports.filter((found) => !isAllowed(found));
    expect(
      broken.map(
        ({ file, target, isTypeOnly }) => `${file} ${isTypeOnly ? 'import type' : 'import'} ${target}`,
      ),
    ).toEqual([]);
  });

  it('let a package enter in one folder only', () => {
    const homes = RULES.flatMap(({ packages = [] }) => packages).filter((name) => name !== 'kysely');
    expect(homes).toEqual([...new Set(homes)]);
  });
});
