/** Which spans are recorded, in the words of the setting. */

import type { Settings } from '../../settings/load-settings.ts';

export type Instrumentation = Settings['tracingInstrumentations'][number];

/** The span of the request itself is always there: everything else hangs on it. */
export interface RecordedSpans {
  readonly router: boolean;
  readonly dns: boolean;
  readonly balancer: boolean;
  readonly access: boolean;
  readonly response: boolean;
}

export function listRecordedSpans(instrumentations: readonly Instrumentation[]): RecordedSpans {
  const has = (name: Instrumentation) => instrumentations.includes('all') || instrumentations.includes(name);
  return {
    router: has('router'),
    dns: has('dns_query'),
    balancer: has('balancer'),
    access: has('plugin_access'),
    response: has('plugin_header_filter'),
  };
}
