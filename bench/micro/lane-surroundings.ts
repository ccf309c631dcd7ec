/** What a lane needs around it when nothing but the lane is measured: the limits of a gateway, and a host in memory. */
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
