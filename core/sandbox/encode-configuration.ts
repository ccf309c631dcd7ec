/** What a guest is told with `configure`. */
import type { GuestConfiguration, NodeFacts } from '../../sdk/protocol/plan.ts';
import type { IsolateLimits } from './isolate-limits.ts';

export function encodeConfiguration(
  configuration: GuestConfiguration,
  { cacheEntries }: Pick<IsolateLimits, 'cacheEntries'>,
  node: NodeFacts | undefined,
): string {
  return JSON.stringify({ configuration, cacheEntries, node });
}
