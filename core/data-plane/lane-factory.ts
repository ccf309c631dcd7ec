/** Makes the lanes of a worker: in the worker itself, or into a process of the package's own. */
import { ProcessLane } from '../plugin-process/process-lane.ts';
import type { PackageBundle } from '../sandbox/bundle-package.ts';
import type { HostServices } from '../sandbox/host-calls.ts';
import { IsolateLane, type LaneEvents } from '../sandbox/isolate-lane.ts';
import type { IsolateLimits } from '../sandbox/isolate-limits.ts';
import { createLaneHost } from '../sandbox/lane-host.ts';
import type { PackageLane } from '../sandbox/package-lane.ts';
import type { GatewayLogger } from '../telemetry/logger.ts';
import { createJournalEntry } from './crash-journal.ts';
import type { PackageLanesDependencies } from './package-lanes.ts';

export interface LaneSurroundings {
  /** Number of the worker. */
  readonly worker: number;
  readonly limits: Omit<IsolateLimits, 'loadTimeoutMs'>;
  readonly services: HostServices;
  readonly logger: GatewayLogger;
  /** V8 gave up in this thread: the process should be replaced. */
  onCatastrophe(message: string): void;
}

const PINO_LEVELS = {
  debug: 'debug',
  info: 'info',
  notice: 'notice',
  warn: 'warn',
  err: 'error',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
} as const;

/** What it returns throws CrossingError where a package is loaded in the worker, and does not load. */
export function createLaneFactory(surroundings: LaneSurroundings): PackageLanesDependencies['createLane'] {
  const { worker, services, logger } = surroundings;
  const host = createLaneHost(services);
  const onLogLines: LaneEvents['onLogLines'] = (lines) => {
    for (const { level, plugin, requestId, message } of lines) {
      const details = requestId === '' ? { plugin } : { request_id: requestId, plugin };
      logger[PINO_LEVELS[level]](details, message);
    }
  };
  return (bundle: PackageBundle, loadTimeoutMs, stranger): PackageLane => {
    const limits = { ...surroundings.limits, loadTimeoutMs };
    const onIncident: LaneEvents['onIncident'] = (reason, detail) => {
      logger.error({ package: bundle.name, reason, detail }, 'plugin incident');
      stranger?.onIncident(reason, detail);
    };
    if (stranger?.isolation === 'process') {
      const { manifest } = stranger.artefact;
      const onConfigured = (problem: string | undefined) => stranger.onConfigured(problem);
      return new ProcessLane({ bundle, limits }, manifest, host, { onLogLines, onIncident, onConfigured });
    }
    const journal = stranger && createJournalEntry(worker, stranger.artefact.digest);
    return new IsolateLane(bundle, limits, host, {
      onLogLines,
      onIncident,
      ...(journal && { onEnter: journal.enter, onLeave: journal.leave }),
      onCatastrophe: (message) => surroundings.onCatastrophe(`isolate of ${bundle.name}: ${message}`),
    });
  };
}
