/** What a plugin may reach beyond its request, in words. */
import type { Capabilities } from '../../sdk/protocol/manifest.ts';

export function describeCapabilities(capabilities: Capabilities): string {
  const reached = Object.entries(capabilities).flatMap(([capability, value]) =>
    Array.isArray(value) ? `${capability}: ${value.join(', ')}` : value ? capability : [],
  );
  return reached.length === 0 ? 'no capabilities' : reached.join('; ');
}
