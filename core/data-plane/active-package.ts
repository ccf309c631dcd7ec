/** A published package as a data plane runs it: which of its versions answers how much of the traffic. */
import type { OnError } from '../sandbox/absent-lane.ts';
import type { Isolation } from '../sandbox/package-lane.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';

export interface ActivePackage {
  readonly name: string;
  readonly current: PluginArtefact;
  /** Runs the requests that `current` does not; undefined when there are none. */
  readonly previous: PluginArtefact | undefined;
  /** Of all requests, 0 to 100, those that run `current`. Counts only where there is a previous version. */
  readonly percent: number;
  readonly onError: OnError;
  readonly isolation: Isolation;
  /** It has ended the data plane: neither version runs. */
  readonly isSuspended?: boolean;
}

/** One part of the traffic, and what runs in it. */
export interface TrafficShare {
  /** It ends at so many percent and begins where the share before it ends. The last one ends at 100. */
  readonly upToPercent: number;
  readonly artefacts: readonly PluginArtefact[];
}

/** One version of a package, and where it runs. */
export interface PackageVersion {
  readonly artefact: PluginArtefact;
  readonly isolation: Isolation;
}

export function versionsOf({ current, previous, isolation }: ActivePackage): readonly PackageVersion[] {
  const versions = previous === undefined ? [current] : [current, previous];
  return versions.map((artefact) => ({ artefact, isolation }));
}

/**
 * Divides the traffic so that one draw for each request does for all packages: with one at 10 percent and another at
 * 50, requests below 10 run both new versions, and those from 50 on both old ones.
 */
export function divideTraffic(packages: readonly ActivePackage[]): readonly TrafficShare[] {
  const percentOf = ({ previous, percent }: ActivePackage) => (previous === undefined ? 100 : percent);
  const ends = new Set([...packages.map(percentOf), 100]);
  return [...ends]
    .filter((end) => end > 0)
    .sort((a, b) => a - b)
    .map((upToPercent) => ({
      upToPercent,
      artefacts: packages.flatMap((each) =>
        percentOf(each) >= upToPercent ? [each.current] : (each.previous ?? []),
      ),
    }));
}
