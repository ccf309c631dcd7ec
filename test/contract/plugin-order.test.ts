/** The order bundled plugins run in, as contract/proxy.md section 10.2 has it: a changed priority shows here. */
import { expect, it } from 'vitest';
import { bundlePackage } from '../../core/sandbox/bundle-package.ts';
import { BUNDLED_PACKAGE } from '../../core/sandbox/bundled-package.ts';
import { IsolateLane } from '../../core/sandbox/isolate-lane.ts';
import { createLaneHost } from '../../core/sandbox/lane-host.ts';

const IN_ORDER = [
  'correlation-id 100001',
  'cors 2000',
  'jwt 1450',
  'key-auth 1250',
  'basic-auth 1100',
  'ip-restriction 990',
  'acl 950',
  'rate-limiting 910',
  'request-transformer 801',
  'opentelemetry 14',
  'prometheus 13',
  'request-termination 2',
];

it('is descending by priority', async () => {
  const lane = new IsolateLane(
    await bundlePackage(BUNDLED_PACKAGE),
    {
      memoryMb: 64,
      crossingTimeoutMs: 1000,
      phaseDeadlineMs: 1000,
      loadTimeoutMs: 10_000,
      cacheEntries: 10,
      maxBodyBytes: 10,
    },
    createLaneHost({
      findEntity: async () => null,
      listEntities: async () => [],
      takeCounters: () => [],
      takeSharedCounters: async () => [],
    }),
    { onLogLines: () => {}, onIncident: () => {}, onCatastrophe: () => {} },
  );
  const { plugins } = lane.manifest;
  lane.dispose();
  const ordered = plugins.toSorted((a, b) => b.priority - a.priority);
  expect(ordered.map(({ name, priority }) => `${name} ${priority}`)).toEqual(IN_ORDER);
});
