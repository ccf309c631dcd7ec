/**
 * What a package says of itself, checked before anybody relies on it: the words are those of a stranger, and the
 * catalogue, the plan and the metrics are made of them. Pure.
 */

import { MAX_TIMER_MS, MAX_TIMERS, MIN_TIMER_MS } from '../../sdk/protocol/background.ts';
import { BODY_DIRECTIONS } from '../../sdk/protocol/body-step.ts';
import { isEgressEntry } from '../../sdk/protocol/fetch.ts';
import type { Capabilities, PackageManifest } from '../../sdk/protocol/manifest.ts';
import { API_LEVEL, PROTOCOL_VERSION } from '../../sdk/protocol/version.ts';
import { checkEntities, pathsOfEntities } from './check-entity-manifest.ts';
import { checkSchema } from './check-schema.ts';
import { isListOf, isPlain, oneOf, type Plain, quote } from './plain-values.ts';

const PLUGIN_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,127}$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
const PHASES = ['rewrite', 'access', 'response', 'log'];
const SCOPES = ['global', 'service', 'route', 'consumer'];
const PROTOCOLS = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp', 'ws', 'wss'];
const COUNTERS = ['cluster', 'redis'];
const MAX_PLUGINS = 50;
const MAX_METRICS = 50;
const MAX_BUCKETS = 100;
const MAX_EGRESS = 64;

/** What is wrong with it, for whoever made it; undefined when it is a PackageManifest of this build. */
export function checkManifest(given: unknown): string | undefined {
  if (!isPlain(given)) return 'manifest must be an object';
  const { protocolVersion, apiLevel = 1, plugins } = given as Partial<PackageManifest>;
  if (protocolVersion !== PROTOCOL_VERSION) {
    return `the package was built for version ${quote(protocolVersion)} of the protocol; this gateway speaks version ${PROTOCOL_VERSION}: build it with the SDK of this gateway`;
  }
  if (apiLevel !== API_LEVEL) {
    return `the package was written for API level ${quote(apiLevel)} of @tollgate/sdk; this gateway has level ${API_LEVEL}: sdk/CHANGELOG.md says what to change between them`;
  }
  if (!Array.isArray(plugins) || plugins.length === 0 || plugins.length > MAX_PLUGINS) {
    return `manifest.plugins must list 1 to ${MAX_PLUGINS} plugins`;
  }
  const names = plugins.flatMap((plugin) => (isPlain(plugin) ? namesOf(plugin) : []));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return `two plugins of the package are named '${quote(twice)}'`;
  const entities = plugins.flatMap((plugin) => (isPlain(plugin) ? pathsOfEntities(plugin['entities']) : []));
  const repeated = entities.find((path, at) => entities.indexOf(path) !== at);
  if (repeated !== undefined) return `two entities of the package are named '${repeated}'`;
  for (const plugin of plugins) {
    const problem = isPlain(plugin) ? checkPlugin(plugin) : 'is no object';
    if (problem !== undefined) return `plugin '${isPlain(plugin) ? quote(plugin['name']) : ''}': ${problem}`;
  }
  return undefined;
}

function namesOf({ name, aliases }: Plain): readonly unknown[] {
  return [name, ...(Array.isArray(aliases) ? aliases : [])];
}

function checkPlugin(plugin: Plain): string | undefined {
  const { name, aliases, version, priority, phases, scopes, protocols, defaultProtocols } = plugin;
  if (!isName(name)) return 'name must be lower case letters, digits and dashes';
  if (!isListOf(aliases, isName)) return 'aliases must be names';
  if (typeof version !== 'string' || version.length > 64) return 'version must be a text';
  if (typeof priority !== 'number' || !Number.isFinite(priority)) return 'priority must be a number';
  if (!isListOf(phases, oneOf(PHASES))) return `phases must be among ${PHASES.join(', ')}`;
  if (!isListOf(scopes, oneOf(SCOPES))) return `scopes must be among ${SCOPES.join(', ')}`;
  for (const list of [protocols, defaultProtocols ?? []]) {
    if (!isListOf(list, oneOf(PROTOCOLS))) return `protocols must be among ${PROTOCOLS.join(', ')}`;
  }
  if (!oneOf(['summary', 'full'])(plugin['logRecord'])) return 'logRecord must be summary or full';
  if (typeof plugin['responseNeeds'] !== 'string') return 'responseNeeds must be a text';
  return (
    checkSchema(plugin['schema']) ??
    checkCapabilities(plugin['capabilities']) ??
    checkTransforms(plugin['transforms']) ??
    checkBackground(plugin['background']) ??
    checkMetrics(plugin['metrics']) ??
    checkEntities(plugin['entities'])
  );
}

type Check = (value: unknown) => string | undefined;

const checkSwitch: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

/** Every capability there is, and what is wrong with a value given for it. */
const CAPABILITIES: Readonly<Record<keyof Capabilities, Check>> = {
  entities: (value) =>
    isListOf(value, (name) => typeof name === 'string') ? undefined : 'must be a list of names',
  egress: (value) =>
    isListOf(value, isEgressEntry) && (value as readonly unknown[]).length <= MAX_EGRESS
      ? undefined
      : `must be up to ${MAX_EGRESS} origins or ranges of addresses`,
  counters: (value) =>
    isListOf(value, oneOf(COUNTERS)) ? undefined : `must be among ${COUNTERS.join(', ')}`,
  crypto: checkSwitch,
  requestBody: checkSwitch,
  responseBody: checkSwitch,
  serviceTarget: checkSwitch,
  traceExport: checkSwitch,
  uriCaptures: checkSwitch,
};

function checkCapabilities(given: unknown): string | undefined {
  if (!isPlain(given)) return 'capabilities must be an object';
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(CAPABILITIES, name)) return `this gateway knows no capability '${name}'`;
    const problem = CAPABILITIES[name as keyof Capabilities](value);
    if (problem !== undefined) return `capabilities.${name} ${problem}`;
  }
  return undefined;
}

function checkTransforms(given: unknown): string | undefined {
  return isListOf(given ?? [], oneOf(BODY_DIRECTIONS))
    ? undefined
    : `transforms must be among ${BODY_DIRECTIONS.join(', ')}`;
}

function checkBackground(given: unknown): string | undefined {
  if (given === undefined) return undefined;
  if (!isPlain(given)) return 'background must be an object';
  const { takesBatches, configures, timers } = given;
  if (typeof takesBatches !== 'boolean' || typeof configures !== 'boolean') return 'background is malformed';
  const isInterval = (ms: unknown) => typeof ms === 'number' && ms >= MIN_TIMER_MS && ms <= MAX_TIMER_MS;
  if (!isListOf(timers, isInterval)) return `timers must run every ${MIN_TIMER_MS} to ${MAX_TIMER_MS} ms`;
  return (timers as readonly unknown[]).length > MAX_TIMERS ? `more than ${MAX_TIMERS} timers` : undefined;
}

function checkMetrics(given: unknown): string | undefined {
  if (!isPlain(given)) return 'metrics must be an object';
  const declared = Object.entries(given);
  if (declared.length > MAX_METRICS) return `more than ${MAX_METRICS} metrics`;
  for (const [name, metric] of declared) {
    if (!METRIC_NAME.test(name)) return `'${name}' is no name of a metric`;
    if (!isPlain(metric) || !oneOf(['counter', 'histogram'])(metric['type'])) {
      return `metric '${name}' must be a counter or a histogram`;
    }
    if (typeof metric['help'] !== 'string' || metric['help'].includes('\n')) {
      return `metric '${name}' needs a help text of one line`;
    }
    if (!areLabels(metric['labels'])) return `metric '${name}' has labels that are no names`;
    if (!areBuckets(metric['buckets'] ?? [])) return `metric '${name}' has unusable buckets`;
  }
  return undefined;
}

/** One name twice, or one that Prometheus keeps for itself, and it reads none of the node's metrics. */
function areLabels(labels: unknown): boolean {
  const isLabel = (label: unknown) =>
    typeof label === 'string' && LABEL_NAME.test(label) && label !== 'le' && !label.startsWith('__');
  return isListOf(labels, isLabel) && new Set(labels as string[]).size === (labels as string[]).length;
}

function areBuckets(buckets: unknown): boolean {
  if (!isListOf(buckets, Number.isFinite)) return false;
  const bounds = buckets as readonly number[];
  return (
    bounds.length <= MAX_BUCKETS && bounds.every((bound, at) => at === 0 || bound > Number(bounds[at - 1]))
  );
}

const isName = (value: unknown): boolean => typeof value === 'string' && PLUGIN_NAME.test(value);
