/** What a lane needs around it when nothing but the lane is measured: the limits of a gateway, and a host in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ClientExchange } from '../../core/http/client-exchange.ts';
import { bundlePackage, type PackageBundle, releaseBundler } from '../../core/sandbox/bundle-package.ts';
import type { HostServices } from '../../core/sandbox/host-calls.ts';
import type { LaneEvents } from '../../core/sandbox/isolate-lane.ts';
import type { IsolateLimits } from '../../core/sandbox/isolate-limits.ts';

export const LIMITS: IsolateLimits = {
  memoryMb: 64,
  crossingTimeoutMs: 50,
  phaseDeadlineMs: 10_000,
  loadTimeoutMs: 5000,
  cacheEntries: 1000,
  maxBodyBytes: 1e6,
};

let used = 0;

/** Every take counts, whatever it counts in. */
export const SERVICES: HostServices = {
  findEntity: async () => null,
  listEntities: async () => [],
  takeCounters: () => [used++],
  takeSharedCounters: async () => [used++],
};

/** Nothing of the kind is expected. */
export const EVENTS: LaneEvents = {
  onLogLines: (lines) => console.error(lines),
  onIncident: (reason, detail) => console.error(reason, detail),
  onCatastrophe: (message) => console.error(message),
};

/** One instance of the plugin `typical`, on everything. */
export const TYPICAL_CONFIGURATION = {
  generation: 1,
  instances: [{ id: 'a', plugin: 'typical', routeId: null, serviceId: null, config: {} }],
  plans: [
    {
      route: null,
      service: null,
      steps: [{ plugin: 'typical', consumerAndRoute: {}, routeAndService: -1, fallback: 0 }],
    },
  ],
  consumers: {},
};

/** Of a package with this module in it. */
export async function bundleTypical(source: string): Promise<PackageBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-micro-'));
  try {
    const entry = join(folder, 'index.ts');
    writeFileSync(entry, source);
    return await bundlePackage({ name: 'typical', entries: [pathToFileURL(entry)] });
  } finally {
    await releaseBundler();
    rmSync(folder, { recursive: true });
  }
}

/** A request as clients of an AI service send it, with the header `x-tenant`. */
export function typicalRequest(tenant: string) {
  const exchange = {
    method: 'GET',
    rawPath: '/v1/chat/completions',
    rawQuery: 'stream=true',
    headers: ['host', 'api.test', 'user-agent', 'curl/8.5.0', 'accept', '*/*', 'x-tenant', tenant],
    host: 'api.test',
    scheme: 'http',
    httpVersion: '1.1',
    peerAddress: '127.0.0.1',
    localPort: 8000,
    receivedAtMs: 1.5,
  } as unknown as ClientExchange;
  return {
    generation: 1,
    exchange,
    path: '/v1/chat/completions',
    strippedPrefix: '',
    clientAddress: '127.0.0.1',
    requestId: 'f'.repeat(32),
    consumer: '',
    credential: '',
    shared: '',
  };
}
