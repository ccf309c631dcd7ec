/** Finds the gateway, whose sandbox the test kit is. */
import { existsSync } from 'node:fs';
import type { KitOptions, PluginKit } from './kit.ts';

/** What the package `tollgate` exports as `tollgate/testing`. */
interface GatewayTesting {
  loadPlugin(module: URL, options?: KitOptions): Promise<PluginKit>;
}

/** In a checkout the gateway lies beside the SDK; elsewhere it is installed. */
const BESIDE = new URL('../../core/testing/load-plugin.ts', import.meta.url);
const INSTALLED = 'tollgate/testing';

/**
 * Bundles the module whose default export is a plugin, or the `index.ts` of a folder, and loads it into an isolate.
 * Rejects with what is wrong with it. Call `close` on the kit when you are done.
 */
export async function loadPlugin(module: URL, options: KitOptions = {}): Promise<PluginKit> {
  const gateway = await importGateway(existsSync(BESIDE) ? BESIDE.href : INSTALLED);
  return gateway.loadPlugin(module, options);
}

async function importGateway(address: string): Promise<GatewayTesting> {
  try {
    return (await import(/* @vite-ignore */ address)) as GatewayTesting;
  } catch (error) {
    if (address !== INSTALLED || (error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error('the test kit runs plugins in the gateway: npm install --save-dev tollgate', {
      cause: error,
    });
  }
}
