/** The control process's hold on the data plane, with real processes. */
import { expect, it, onTestFinished } from 'vitest';
import { EMPTY_SNAPSHOT, forEachEntity } from '../../../core/config/snapshot.ts';
import type { RowsDeltas } from '../../../core/config/snapshot-delta.ts';
import { DataPlane } from '../../../core/data-plane/supervisor.ts';
import { loadSettings } from '../../../core/settings/load-settings.ts';
import { createLogger } from '../../../core/telemetry/logger.ts';
import { findFreePort } from '../../support/free-port.ts';

function createDataPlane(proxyListen: string): DataPlane {
  const { settings } = loadSettings({ TOLLGATE_PROXY_LISTEN: proxyListen, TOLLGATE_WORKERS: '2' });
  const boot = {
    settings,
    nodeId: 'n',
    version: '0.0.0',
    bundles: [],
    packages: [],
    ownCertificate: undefined,
    snapshot: EMPTY_SNAPSHOT,
  };
  const logger = createLogger('crit', 'control');
  const services = {
    findRow: async () => null,
    listRows: async () => [],
    countInCluster: async () => [],
  };
  const dataPlane = new DataPlane(boot, services, logger);
  onTestFinished(() => dataPlane.stop());
  return dataPlane;
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('says why a worker cannot start, and leaves no process behind', async () => {
  // An address reserved for documentation: no machine has it.
  const dataPlane = createDataPlane('203.0.113.1:8000');
  await expect(dataPlane.start()).rejects.toMatchObject({
    name: 'DataPlaneStartError',
    message: 'the proxy cannot start: 203.0.113.1:8000 cannot be bound',
  });
  const { pid } = dataPlane;
  await dataPlane.stop();
  expect(isAlive(pid)).toBe(false);
});

it('is stopped at once when its process has been killed', async () => {
  const dataPlane = createDataPlane(`127.0.0.1:${await findFreePort()}`);
  await dataPlane.start();
  process.kill(dataPlane.pid as number, 'SIGKILL');
  while (dataPlane.isServing) await new Promise((resolve) => setTimeout(resolve, 5));
  await dataPlane.stop();
});

it('takes a change while it is still starting again, and serves it', async () => {
  const dataPlane = createDataPlane(`127.0.0.1:${await findFreePort()}`);
  await dataPlane.start();
  const first = dataPlane.pid;
  process.kill(first as number, 'SIGKILL');
  while (dataPlane.pid === first) await new Promise((resolve) => setTimeout(resolve, 5));
  await dataPlane.publish({ ...EMPTY_SNAPSHOT, version: 7 });
  while (!dataPlane.isServing) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await dataPlane.measure()).map(({ snapshotVersion }) => snapshotVersion)).toEqual([7, 7]);
});

it('makes of a snapshot and changes the same in all workers, those that are started again among them', async () => {
  const dataPlane = createDataPlane(`127.0.0.1:${await findFreePort()}`);
  await dataPlane.start();
  const none = forEachEntity<RowsDeltas>(() => ({ upserted: [], removed: [] }));
  const delta = { base: 0, version: 1, sequence: 5, ...none };
  const served = async () =>
    (await dataPlane.measure()).map(({ snapshotVersion, sequence }) => [snapshotVersion, sequence]);
  await dataPlane.update({ delta, invalidations: [], events: [] });
  await dataPlane.update({ delta: { ...delta, base: 1, sequence: 6 }, invalidations: [], events: [] });
  expect(await served()).toEqual([
    [1, 6],
    [1, 6],
  ]);
  process.kill(dataPlane.pid as number, 'SIGKILL');
  while (dataPlane.isServing) await new Promise((resolve) => setTimeout(resolve, 5));
  await dataPlane.update({
    delta: { ...delta, base: 1, version: 2, sequence: 7 },
    invalidations: [],
    events: [],
  });
  while (!dataPlane.isServing) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await served()).toEqual([
    [2, 7],
    [2, 7],
  ]);
  await expect(dataPlane.update({ delta, invalidations: [], events: [] })).rejects.toThrow(
    'cannot be applied',
  );
});
