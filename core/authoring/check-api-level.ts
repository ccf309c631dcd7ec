/** Whether the SDK that a package was written against promises what that of this gateway does. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { API_LEVEL } from '../../sdk/protocol/version.ts';
import { AuthoringError } from './authoring-error.ts';

interface SdkManifest {
  readonly version: string;
  readonly tollgate?: { readonly apiLevel?: number };
}

/** Nothing is said of a package without an SDK of its own. Throws AuthoringError. */
export function checkApiLevel(root: string): void {
  const installed = readInstalledSdk(root);
  const apiLevel = installed?.tollgate?.apiLevel ?? API_LEVEL;
  if (apiLevel === API_LEVEL) return;
  throw new AuthoringError(
    `the package has @tollgate/sdk ${installed?.version} installed, of API level ${apiLevel}, and this tollgate bundles for level ${API_LEVEL}: install the versions that belong together`,
  );
}

function readInstalledSdk(root: string): SdkManifest | undefined {
  try {
    const path = createRequire(join(root, 'package.json')).resolve('@tollgate/sdk/package.json');
    return JSON.parse(readFileSync(path, 'utf8')) as SdkManifest;
  } catch {
    return undefined;
  }
}
