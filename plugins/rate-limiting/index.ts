/** rate-limiting: so many requests per period of the calendar. Contract/plugins.md section 2. */
import {
  type AccessKong,
  type CounterWindow,
  definePlugin,
  type InferConfig,
  type TakeOptions,
} from '@tollgate/sdk';
import { storeOptionsOf } from './counter-store.ts';
import { decide } from './decide.ts';
import { identifyClient } from './identifier.ts';
import { schema } from './schema.ts';
import { PERIOD_SECONDS, PERIODS, type Period, windowStartMs } from './window.ts';

const UNSCOPED = '00000000-0000-0000-0000-000000000000';

export default definePlugin({
  name: 'rate-limiting',
  version: '0.1.0',
  priority: 910,
  schema,
  capabilities: { counters: ['cluster', 'redis'] },

  async access(kong, config) {
    const nowMs = Date.now();
    const windows = listWindows(kong, config, nowMs);
    const options = storeOptionsOf(config);
    const used = await (options === undefined
      ? kong.counters.take(windows)
      : takeShared(kong, config, windows, options));
    // Nobody knows what is left, and nothing is said of it.
    if (used === undefined) return;
    const decision = decide(
      windows.map(({ period, limit, startMs }, index) => ({
        period,
        limit,
        startMs,
        used: used[index] ?? 0,
      })),
      nowMs,
    );
    if (!config.hide_client_headers) {
      for (const [name, value] of decision.headers) kong.response.setHeader(name, value);
    }
    if (decision.isAllowed) return;
    const retryAfter = config.hide_client_headers ? {} : { 'Retry-After': decision.resetSeconds };
    return kong.response.error(
      config.error_code ?? 429,
      config.error_message ?? 'API rate limit exceeded',
      retryAfter,
    );
  },
});

/**
 * Undefined when the counters cannot be reached and the request is to pass all the same; throws when it is not. What
 * could not be counted stays uncounted.
 */
async function takeShared(
  kong: AccessKong,
  config: InferConfig<typeof schema>,
  windows: readonly CounterWindow[],
  options: TakeOptions,
): Promise<readonly number[] | undefined> {
  try {
    return await kong.counters.take(windows, options);
  } catch (error) {
    if (!config.fault_tolerant) throw error;
    kong.log.debug(`not limited: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

interface Limit {
  readonly period: Period;
  readonly limit: number;
}

/** A configuration is one frozen object for as long as it is valid. */
const knownLimits = new WeakMap<object, readonly Limit[]>();

/** The configured periods, shortest first. */
function limitsOf(config: InferConfig<typeof schema>): readonly Limit[] {
  let limits = knownLimits.get(config);
  if (limits === undefined) {
    limits = PERIODS.flatMap((period) => {
      const limit = config[period];
      return limit === null ? [] : [{ period, limit }];
    });
    knownLimits.set(config, limits);
  }
  return limits;
}

interface LimitedWindow extends CounterWindow, Limit {
  readonly limit: number;
  readonly startMs: number;
}

/** The windows this request counts in, shortest first. */
function listWindows(kong: AccessKong, config: InferConfig<typeof schema>, nowMs: number): LimitedWindow[] {
  const identifier = identifyClient(kong, config);
  // Scoped by what the plugin is attached to, not by what the request matched: a limit on a service counts all its routes.
  const scope = `ratelimit:${kong.plugin.getRouteId() ?? UNSCOPED}:${kong.plugin.getServiceId() ?? UNSCOPED}:${identifier}`;
  return limitsOf(config).map(({ period, limit }) => {
    const startMs = windowStartMs(period, nowMs);
    const expiresAtMs = nowMs + PERIOD_SECONDS[period] * 1000;
    return { period, limit, startMs, key: `${scope}:${startMs}:${period}`, expiresAtMs };
  });
}
