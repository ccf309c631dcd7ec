/** From a package on the disk to what is shipped: bundled, loaded once to see what it says of itself, and sealed. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { bundleForAuthor, type MappedBundle } from '../sandbox/bundle-package.ts';
import { checkManifest } from '../sandbox/check-manifest.ts';
import { createStackMapper } from '../sandbox/map-stack.ts';
import { type PluginArtefact, readArtefact, sealArtefact } from '../sandbox/plugin-artefact.ts';
import { PluginIsolate } from '../sandbox/plugin-isolate.ts';
import { AuthoringError } from './authoring-error.ts';
import { checkApiLevel } from './check-api-level.ts';
import type { AuthoredPackage } from './read-package.ts';

const LIMITS = {
  memoryMb: 32,
  crossingTimeoutMs: 1000,
  phaseDeadlineMs: 1000,
  loadTimeoutMs: 5000,
  cacheEntries: 10,
  maxBodyBytes: 1000,
};

const OF_NODE =
  /(?:process|Buffer|require|module|global|set(?:Timeout|Interval|Immediate)|fetch) is not defined/;
const NO_NODE = '; there is no Node.js inside an isolate, only ECMAScript and what @tollgate/sdk offers';

/**
 * The same for the same sources, wherever they lie. Throws BundleError, ArtefactError and AuthoringError, all of which
 * say what is wrong.
 */
export async function buildArtefact({
  root,
  name,
  version,
  entry,
}: AuthoredPackage): Promise<PluginArtefact> {
  checkApiLevel(root);
  const bundle = await bundleForAuthor({ name, entries: [entry] }, { root });
  const manifest = loadManifest(bundle);
  const problem = checkManifest(manifest);
  if (problem !== undefined) throw new AuthoringError(`${name}: ${problem}`);
  const other = manifest.plugins.find((plugin) => plugin.version !== version);
  if (other !== undefined) {
    throw new AuthoringError(
      `package.json has version ${version} and the plugin '${other.name}' ${other.version}: make them the same`,
    );
  }
  const { code, sourceMap } = bundle;
  return readArtefact({ ...sealArtefact({ name, version, manifest, code, sourceMap }) });
}

function loadManifest(bundle: MappedBundle): PackageManifest {
  try {
    const isolate = new PluginIsolate(bundle, LIMITS, {
      onSaid: () => '',
      onCatastrophe: (message) => {
        throw new Error(message);
      },
    });
    try {
      return JSON.parse(String(isolate.call('describe'))) as PackageManifest;
    } finally {
      isolate.dispose();
    }
  } catch (error) {
    const { message, cause } = error as Error;
    const stack = cause instanceof Error ? createStackMapper(bundle)(cause.stack ?? '') : '';
    const [own = ''] = stack.split(/\n[^\n]*<isolated-vm boundary>/);
    const advice = OF_NODE.test(message) ? NO_NODE : '';
    throw new AuthoringError(
      `${bundle.name} does not load in an isolate: ${message}${advice}\n${own}`.trimEnd(),
    );
  }
}
