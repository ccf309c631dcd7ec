/** Makes a test kit: bundles a plugin of an author, loads it into an isolate and puts a host in memory around it. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PluginFailure } from '../../sdk/testing/errors.ts';
import type { KitOptions, PluginKit, TestClock } from '../../sdk/testing/kit.ts';
import { bundleForAuthor } from '../sandbox/bundle-package.ts';
import { createStackMapper } from '../sandbox/map-stack.ts';
import { CrossingError } from '../sandbox/plugin-isolate.ts';
import { createConfigurationCheck } from './check-configuration.ts';
import { CLOCK_FOOTER, clockBanner } from './fake-clock.ts';
import { IsolateUnderTest } from './isolate-under-test.ts';
import { MemoryHost } from './memory-host.ts';
import { MemoryServers } from './memory-servers.ts';
import { PluginUnderTest } from './plugin-under-test.ts';
import { createSettableClock } from './settable-clock.ts';

const PACKAGE = 'plugin';
const ENTRY = 'index.ts';
const DEFAULT_NOW_MS = Date.UTC(2026, 0, 1);
const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_MEMORY_MB = 32;
/** Of waiting: tests run on busy machines. */
const DEADLINE_MS = 5000;
const LOAD_TIMEOUT_MS = 5000;
const CACHE_ENTRIES = 1000;
const MAX_BODY_BYTES = 1024 * 1024;

/** See sdk/testing/index.ts. Rejects with BundleError or PluginFailure, which say what is wrong with the plugin. */
export async function loadPlugin(module: URL, options: KitOptions = {}): Promise<PluginKit> {
  const { nowMs = DEFAULT_NOW_MS, timeoutMs = DEFAULT_TIMEOUT_MS, memoryMb = DEFAULT_MEMORY_MB } = options;
  const entry = locateEntry(module);
  const root = dirname(fileURLToPath(entry));
  const bundle = await bundleForAuthor(
    { name: PACKAGE, entries: [entry] },
    { root, banner: clockBanner(nowMs), footer: CLOCK_FOOTER },
  );
  const clock = createClock(nowMs);
  const servers = new MemoryServers();
  const host = new MemoryHost(servers, clock.now, () => isolate.forgetRows());
  const limits = {
    memoryMb,
    crossingTimeoutMs: timeoutMs,
    phaseDeadlineMs: DEADLINE_MS,
    backgroundDeadlineMs: DEADLINE_MS,
    loadTimeoutMs: LOAD_TIMEOUT_MS,
    cacheEntries: CACHE_ENTRIES,
    maxBodyBytes: MAX_BODY_BYTES,
  };
  const locate = (source: string) => (source.startsWith('@') ? source : resolve(root, source));
  const mapStack = createStackMapper(bundle, locate);
  const time = createSettableClock();
  const isolate = loadIsolate(() => new IsolateUnderTest(bundle, limits, host, mapStack, time), mapStack);
  const [manifest] = isolate.manifest.plugins;
  if (manifest === undefined) throw new TypeError(`${fileURLToPath(entry)} has no plugin to offer`);
  const complete = createConfigurationCheck(isolate.manifest, manifest.name);
  return new PluginUnderTest({ isolate, host, servers, clock, time, manifest, complete });
}

function loadIsolate(load: () => IsolateUnderTest, mapStack: (stack: string) => string): IsolateUnderTest {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof CrossingError)) throw error;
    const { kind, message, cause } = error;
    const stack = cause instanceof Error ? mapStack(cause.stack ?? message) : message;
    const reason = kind === 'disposed' ? 'memory' : kind;
    throw new PluginFailure('load', reason, `the plugin does not load: ${message}`, stack);
  }
}

function locateEntry(module: URL): URL {
  const path = fileURLToPath(module);
  if (!statSync(path).isDirectory()) return module;
  return new URL(ENTRY, module.href.endsWith('/') ? module : `${module.href}/`);
}

function createClock(startMs: number): TestClock {
  let currentMs = startMs;
  return {
    now: () => currentMs,
    set: (ms) => {
      currentMs = ms;
    },
    advance: (ms) => {
      currentMs += ms;
    },
  };
}
