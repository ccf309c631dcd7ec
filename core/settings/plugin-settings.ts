/** What plugins may use. */
import { pluginList, wholeNumber } from './setting-kind.ts';
import { defaulted } from './setting-row.ts';

export const PLUGIN_SETTINGS = {
  plugins: defaulted({
    group: 'Plugins',
    name: 'plugins',
    kind: pluginList,
    default: 'bundled',
    description: 'Plugins that can be configured. `bundled` is all that come with the gateway.',
  }),
  pluginTimeoutMs: defaulted({
    group: 'Plugins',
    name: 'plugin_timeout_ms',
    kong: false,
    kind: wholeNumber(1, 60_000),
    default: '50',
    description: 'Milliseconds of wall time one call into a plugin isolate may run before it is stopped.',
  }),
  pluginDeadlineMs: defaulted({
    group: 'Plugins',
    name: 'plugin_deadline_ms',
    kong: false,
    kind: wholeNumber(1, 3_600_000),
    default: '10000',
    description:
      'Milliseconds of wall time a request may wait for a plugin’s own lookups and calls before it fails.',
  }),
  pluginCpuMs: defaulted({
    group: 'Plugins',
    name: 'plugin_cpu_ms',
    kind: wholeNumber(0, 1000),
    default: '500',
    description:
      'Milliseconds of CPU time a published package may use each second, in each worker. More is a strike, and three strikes within ten seconds are a quarantine. 0 is no limit.',
  }),
  pluginMemoryMb: defaulted({
    group: 'Plugins',
    name: 'plugin_memory_mb',
    kong: false,
    kind: wholeNumber(8, 4096),
    default: '64',
    description: 'Mebibytes of heap a plugin isolate may use, in each worker.',
  }),
  credentialCacheEntries: defaulted({
    group: 'Plugins',
    name: 'credential_cache_entries',
    kong: false,
    kind: wholeNumber(0, 10_000_000),
    default: '10000',
    description: 'Credentials each worker remembers for each plugin isolate, unknown ones included.',
  }),
} as const;
