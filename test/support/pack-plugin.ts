/** Makes the artefact of a plugin package out of a few lines of source, as its author's tools would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleForAuthor } from '../../core/sandbox/bundle-package.ts';
import { type PluginArtefact, sealArtefact } from '../../core/sandbox/plugin-artefact.ts';
import { PluginIsolate } from '../../core/sandbox/plugin-isolate.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';

export interface PluginSource {
  /** Of the package and, unless the definition has another, of its plugin. */
  readonly name: string;
  readonly version?: string;
  /** Members of the definition besides name, version and priority; `s` is the schema's vocabulary. */
  readonly definition: string;
  /** Code of the module in front of the definition. */
  readonly head?: string;
}

const SDK = fileURLToPath(new URL('../../sdk/index.ts', import.meta.url));
const LIMITS = {
  memoryMb: 64,
  crossingTimeoutMs: 1000,
  phaseDeadlineMs: 1000,
  loadTimeoutMs: 5000,
  cacheEntries: 10,
  maxBodyBytes: 1000,
};

export async function packPlugin(source: PluginSource): Promise<PluginArtefact> {
  const { name, version = '1.0.0', definition, head = '' } = source;
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-plugin-'));
  try {
    const entry = join(folder, 'index.ts');
    const pluginName = name.split('/').at(-1);
    const code = `import { definePlugin, s } from ${JSON.stringify(SDK)};
      ${head}
      export default definePlugin({
        name: '${pluginName}', version: '${version}', priority: 900, schema: s.config({}),
        ${definition}
      });`;
    writeFileSync(entry, code);
    return await packModule(name, version, pathToFileURL(entry));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same of a module that is there. */
export async function packModule(name: string, version: string, entry: URL): Promise<PluginArtefact> {
  const root = dirname(fileURLToPath(entry));
  const bundle = await bundleForAuthor({ name, entries: [entry] }, { root });
  const manifest = describe(bundle);
  return sealArtefact({ name, version, manifest, code: bundle.code, sourceMap: bundle.sourceMap });
}

function describe(bundle: { readonly name: string; readonly code: string }): PackageManifest {
  const isolate = new PluginIsolate(bundle, LIMITS, { onSaid: () => '', onCatastrophe: () => {} });
  try {
    return JSON.parse(String(isolate.call('describe'))) as PackageManifest;
  } finally {
    isolate.dispose();
  }
}
