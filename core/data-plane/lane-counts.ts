/** What the plugins of a worker's lanes have counted since somebody asked last. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { MetricDeltas } from '../../sdk/protocol/metric-deltas.ts';
import { decodeMetricDeltas } from '../sandbox/decode-metric-deltas.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import type { PackageSlot } from './package-slot.ts';

/** A package that takes longer to say what it has counted, and fails, is not asked again. */
const SLOW_COLLECTION_MS = 200;
/** Counted by lanes that are gone, until somebody asks. */
const MAX_LEFTOVERS = 1000;

export class LaneCounts {
  #leftovers: MetricDeltas[] = [];

  async collect(slots: readonly PackageSlot[]): Promise<readonly MetricDeltas[]> {
    const collected = this.#leftovers;
    this.#leftovers = [];
    const found = await Promise.all(slots.map(countsOf));
    return collected.concat(...found);
  }

  /** The lane goes: what it has counted is kept until somebody asks. */
  async keep(slot: PackageSlot): Promise<void> {
    const deltas = await countsOf(slot);
    if (this.#leftovers.length < MAX_LEFTOVERS) this.#leftovers.push(...deltas);
  }
}

async function countsOf(slot: PackageSlot): Promise<readonly MetricDeltas[]> {
  const { lane, artefact, manifest } = slot;
  if (lane === undefined || slot.isMute) return [];
  const fromMs = performance.now();
  const collecting = lane.collectMetrics();
  const blockedMs = performance.now() - fromMs;
  const json = await collecting;
  const deltas = json === undefined ? undefined : readDeltas(json, artefact, manifest);
  if (deltas === undefined) {
    slot.isMute = artefact !== undefined && blockedMs > SLOW_COLLECTION_MS;
    return [];
  }
  const cpu = slot.cpu.divide(deltas.usage ?? [], lane.stats().cpuSeconds);
  return cpu === undefined ? [deltas] : [deltas, cpu];
}

/** What our own packages say need not be looked at twice. */
function readDeltas(
  json: string,
  artefact: PluginArtefact | undefined,
  manifest: PackageManifest,
): MetricDeltas | undefined {
  return artefact === undefined ? (JSON.parse(json) as MetricDeltas) : decodeMetricDeltas(json, manifest);
}
