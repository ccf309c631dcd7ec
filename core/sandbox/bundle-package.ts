/**
 * Turns a package of plugins and the guest runtime into one script for an isolate. Only ECMAScript may be in it:
 * an import that could not work inside is refused here, with advice, rather than at the first request.
 */
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, stop } from 'esbuild';

/** Plugins that share an isolate: they trust each other, and one crossing carries all of them. */
export interface PluginPackage {
  readonly name: string;
  /** Modules whose default export is a plugin definition. */
  readonly entries: readonly URL[];
}

export interface PackageBundle {
  readonly name: string;
  /** Script that defines the global `tollgate`, a GuestRuntime. */
  readonly code: string;
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
export async function bundlePackage({ name, entries }: PluginPackage): Promise<PackageBundle> {
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
      write: false,
      format: 'iife',
      platform: 'neutral',
      target: 'es2024',
      mainFields: ['module', 'main'],
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [refuseNodeImports],
    });
    return { name, code: result.outputFiles[0]?.text ?? '' };
  } catch (error) {
    const problems = (error as { readonly errors?: readonly { readonly text: string }[] }).errors;
    throw new BundleError(name, problems?.map(({ text }) => text) ?? [String(error)]);
  }
}

const refuseNodeImports: Plugin = {
  name: 'refuse-node-imports',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, ({ path, importer }) => {
      if (!isBuiltin(path)) return undefined;
      const text = `${importer} imports '${path}': there is no Node.js inside an isolate; use what @tollgate/sdk offers instead`;
      return { errors: [{ text }] };
    });
  },
};
