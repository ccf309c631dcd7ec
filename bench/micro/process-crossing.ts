/**
 * What it costs to have a plugin in a process of its own instead of in the worker: CPU of both processes for each call,
 * alone in its turn and with 31 others, in microseconds, and how long one alone takes.
 */
import { encodeAccessCall } from '../../core/gateway/encode-call.ts';
import { ProcessLane } from '../../core/plugin-process/process-lane.ts';
import { IsolateLane } from '../../core/sandbox/isolate-lane.ts';
import { createLaneHost } from '../../core/sandbox/lane-host.ts';
import type { PackageLane } from '../../core/sandbox/package-lane.ts';
import {
  bundleTypical,
  EVENTS,
  LIMITS,
  SERVICES,
  TYPICAL_CONFIGURATION,
  typicalRequest,
} from './lane-surroundings.ts';

const TURNS = 3000;
const REPEATS = 5;
const TOGETHER = 32;

const PLUGIN = `
import { definePlugin, s } from '@tollgate/sdk';
export default definePlugin({
  name: 'typical',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  access(kong) {
    kong.service.request.setHeader('X-Seen-Tenant', kong.request.getHeader('x-tenant') ?? 'none');
    kong.response.setHeader('X-Path', kong.request.getPath());
  },
});
`;

const FACTS = typicalRequest('acme');

/** Resolves when as many calls as are given have been answered. */
function turn(lane: PackageLane, calls: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = calls;
    const listener = {
      onPhaseOutcome: () => {
        if (--left === 0) resolve();
      },
      onPhaseFailure: (reason: string, detail: string) => reject(new Error(`${reason}: ${detail}`)),
      readBody: async () => new Uint8Array(0),
    };
    for (let call = 0; call < calls; call++)
      lane.submit('access', encodeAccessCall(FACTS, 0, true), listener);
  });
}

/** CPU seconds of this process, and of the package's where it has one. */
function cpuSeconds(lane: PackageLane): number {
  const { user, system } = process.cpuUsage();
  const { pid, cpuSeconds: ofPackage } = lane.stats();
  return (user + system) / 1e6 + (pid === undefined ? 0 : ofPackage);
}

async function measure(name: string, lane: PackageLane): Promise<void> {
  lane.configure(TYPICAL_CONFIGURATION);
  await lane.ready;
  for (const together of [1, TOGETHER]) {
    let leastUs = Number.POSITIVE_INFINITY;
    let leastTakesUs = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const cpuBefore = cpuSeconds(lane);
      const before = performance.now();
      for (let at = 0; at < TURNS; at++) await turn(lane, together);
      const calls = TURNS * together;
      leastTakesUs = Math.min(leastTakesUs, ((performance.now() - before) * 1000) / TURNS);
      leastUs = Math.min(leastUs, ((cpuSeconds(lane) - cpuBefore) * 1e6) / calls);
    }
    const takes = together === 1 ? `, answered after ${leastTakesUs.toFixed(0)} us` : '';
    console.log(`${name}, ${together} together: ${leastUs.toFixed(1)} us of CPU a call${takes}`);
  }
  lane.dispose();
}

const bundle = await bundleTypical(PLUGIN);
const host = createLaneHost(SERVICES);
const inWorker = new IsolateLane(bundle, LIMITS, host, EVENTS);
const { manifest } = inWorker;
await measure('in the worker', inWorker);
const events = { ...EVENTS, onConfigured: (problem?: string) => problem && console.error(problem) };
await measure('in its process', new ProcessLane({ bundle, limits: LIMITS }, manifest, host, events));
