/**
 * CPU of one crossing that carries one typical request: a plugin that reads a header and sets two, and the same with
 * a host call that is answered at once. Each call crosses by itself, without the event loop. Prints microseconds.
 */
import { encodeAccessCall } from '../../core/gateway/encode-call.ts';
import { IsolateLane } from '../../core/sandbox/isolate-lane.ts';
import { createLaneHost } from '../../core/sandbox/lane-host.ts';
import {
  bundleTypical,
  EVENTS,
  LIMITS,
  SERVICES,
  TYPICAL_CONFIGURATION,
  typicalRequest,
} from './lane-surroundings.ts';

const CALLS = 20_000;
const REPEATS = 7;

const PLUGIN = `
import { definePlugin, s } from '@tollgate/sdk';
export default definePlugin({
  name: 'typical',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  access(kong) {
    const tenant = kong.request.getHeader('x-tenant');
    kong.service.request.setHeader('X-Seen-Tenant', tenant ?? 'none');
    kong.response.setHeader('X-Path', kong.request.getPath());
    if (tenant !== 'counted') return;
    const windows = [{ key: 'tenant', limit: 1e9, expiresAtMs: Date.now() + 60_000 }];
    return kong.counters.take(windows).then(([used]) => kong.response.setHeader('X-Used', used));
  },
});
`;

const bundle = await bundleTypical(PLUGIN);
const lane = new IsolateLane(bundle, LIMITS, createLaneHost(SERVICES), EVENTS);
lane.configure(TYPICAL_CONFIGURATION);

function measure(tenant: string): number {
  const facts = typicalRequest(tenant);
  let finished = 0;
  const listener = {
    onPhaseOutcome: () => {
      finished++;
    },
    onPhaseFailure: (reason: string, detail: string) => console.error(reason, detail),
    readBody: async () => new Uint8Array(0),
  };
  let least = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) {
      lane.submit('access', encodeAccessCall(facts, 0, true), listener);
      lane.flush();
    }
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / CALLS);
  }
  if (finished !== CALLS * REPEATS) throw new Error(`${finished} calls of ${CALLS * REPEATS} ended`);
  return least;
}

const plain = measure('acme');
const counted = measure('counted');
console.log(`one phase crossing: ${plain.toFixed(2)} us`);
console.log(`a host call on top: ${(counted - plain).toFixed(2)} us`);
lane.dispose();
