/**
 * Turns a package of plugins and the guest runtime into one script for an isolate. Only ECMAScript may be in it:
 * an import that could not work inside is refused here, with advice, rather than at the first request.
 */
import { isBuiltin } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Message, type OutputFile, type Plugin, stop } from 'esbuild';

/** Plugins that share an isolate: they trust each other, and one crossing carries all of them. */
export interface PluginPackage {
  readonly name: string;
  /** Modules whose default export is a plugin definition. */
  readonly entries: readonly URL[];
}

/** What authors want of a bundle and the gateway's own packages do without. */
export interface AuthoringOptions {
  /** Folder of the package. Sources are named relative to it, so that the bundle is the same wherever that lies. */
  readonly root: string;
  /** Script to run before and behind everything else. */
  readonly banner?: string;
  readonly footer?: string;
}

export interface PackageBundle {
  readonly name: string;
  /** Script that defines the global `tollgate`, a GuestRuntime. */
  readonly code: string;
}

export interface MappedBundle extends PackageBundle {
  /** JSON. */
  readonly sourceMap: string;
}

export class BundleError extends Error {
  constructor(packageName: string, problems: readonly string[]) {
    super(
      `plugin package '${packageName}' cannot be bundled:\n${problems.map((text) => `  ${text}`).join('\n')}`,
    );
    this.name = 'BundleError';
  }
}

const SDK_FOLDER = fileURLToPath(new URL('../../sdk/', import.meta.url));

/** Ends the bundler's own process, which would otherwise stay. The next bundle starts it again. */
export const releaseBundler: () => Promise<void> = stop;

/** Throws BundleError with every problem found. */
export async function bundlePackage(given: PluginPackage): Promise<PackageBundle> {
  const [script] = await runBundler(given, {});
  return { name: given.name, code: script?.text ?? '' };
}

/** The same, small and with a source map. Throws BundleError. */
export async function bundleForAuthor(
  given: PluginPackage,
  { root, banner = '', footer = '' }: AuthoringOptions,
): Promise<MappedBundle> {
  const outputs = await runBundler(given, {
    absWorkingDir: root,
    outfile: OUTPUT_NAME,
    sourcemap: 'external',
    sourcesContent: false,
    // Otherwise the paths of all sources are in it.
    minifyWhitespace: true,
    banner: { js: banner },
    footer: { js: footer },
  });
  const textOf = (suffix: string) => outputs.find(({ path }) => path.endsWith(suffix))?.text ?? '';
  return { name: given.name, code: textOf('.js'), sourceMap: nameSources(textOf('.map'), root) };
}

const OUTPUT_NAME = 'bundle.js';

async function runBundler(
  { name, entries }: PluginPackage,
  options: BuildOptions,
): Promise<readonly OutputFile[]> {
  const imports = entries.map(
    (entry, index) => `import plugin${index} from ${JSON.stringify(fileURLToPath(entry))};`,
  );
  const list = entries.map((_, index) => `plugin${index}`).join(', ');
  const contents = [
    `import { createRuntime } from '@tollgate/sdk/guest/runtime';`,
    ...imports,
    `globalThis.tollgate = createRuntime([${list}]);`,
  ].join('\n');
  try {
    const result = await build({
      stdin: { contents, resolveDir: SDK_FOLDER, sourcefile: `${name}.ts`, loader: 'ts' },
      bundle: true,
      format: 'iife',
      platform: 'neutral',
      target: 'es2024',
      mainFields: ['module', 'main'],
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [refuseForeignImports, resolveOwnSdk],
      ...options,
      write: false,
    });
    return result.outputFiles ?? [];
  } catch (error) {
    const problems = (error as { readonly errors?: readonly Message[] }).errors;
    throw new BundleError(name, problems?.map(describeProblem) ?? [String(error)]);
  }
}

/** What authors can do about what the bundler says. */
const ADVICE: readonly (readonly [said: RegExp, advice: string])[] = [
  [/^Could not resolve/, '; is it among the dependencies of the package, and installed?'],
  [/for import "default"$/, ': a plugin is `export default definePlugin({ … })`'],
  [
    /for "\.node" files/,
    '; code for the processor cannot run inside an isolate: look for a package without it',
  ],
  [/^Top-level await/, '; wait inside of a handler, or in the `load` of kong.cache'],
];

function describeProblem({ text, location }: Message): string {
  const advice = ADVICE.find(([said]) => said.test(text))?.[1] ?? '';
  const place = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `;
  return place + text + advice;
}

/** Sources of the author relative to the package, those of the SDK by the name they are imported by. */
function nameSources(sourceMap: string, root: string): string {
  const map = JSON.parse(sourceMap) as { sources: string[] };
  const sources = map.sources.map((source) => {
    const inSdk = relative(SDK_FOLDER, resolve(root, source));
    return inSdk.startsWith('..') ? source : `@tollgate/sdk/${inSdk}`;
  });
  return JSON.stringify({ ...map, sources });
}

const refuseForeignImports: Plugin = {
  name: 'refuse-foreign-imports',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, ({ path, importer }) => {
      if (path === '@tollgate/sdk/testing') {
        return { errors: [{ text: `${importer} imports '${path}': it is for tests, not for plugins` }] };
      }
      if (!isBuiltin(path)) return undefined;
      const text = `${importer} imports '${path}': there is no Node.js inside an isolate; use what @tollgate/sdk offers instead`;
      return { errors: [{ text }] };
    });
  },
};

/** A plugin runs with the SDK of the gateway that bundles it, and needs none of its own to be installed. */
const resolveOwnSdk: Plugin = {
  name: 'resolve-own-sdk',
  setup(builder) {
    builder.onResolve({ filter: /^@tollgate\/sdk(?:\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === RESOLVED
        ? undefined
        : builder.resolve(path, { kind, resolveDir: SDK_FOLDER, pluginData: RESOLVED }),
    );
  },
};

const RESOLVED = 'resolved';
