/** How names are looked up, as the settings say: the same for workers and for the process above them. */
import type { LookUpHost } from '../dns/host-answer.ts';
import { createHostLookUp } from '../dns/look-up-host.ts';
import type { Settings } from '../settings/load-settings.ts';

export function createNameLookUp(settings: Settings): LookUpHost {
  return createHostLookUp({
    servers: settings.dnsServers ?? [],
    hostsFile: settings.dnsHostsFile,
    order: settings.dnsOrder.filter((type) => type !== 'CNAME'),
    validTtlSeconds: settings.dnsValidTtlSeconds,
    notFoundTtlSeconds: settings.dnsNotFoundTtlSeconds,
    errorTtlSeconds: settings.dnsErrorTtlSeconds,
  });
}
