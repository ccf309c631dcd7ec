/**
 * The guest's side of the wall: what the host may call. A bundle made of this file and of plugin packages is all
 * that runs in an isolate.
 *
 * `pump` is the only function called while traffic flows. It takes whatever the host has for the guest, and returns
 * what the guest has to say, or tells the host in the promise reactions that run after it, within the same crossing
 * (conversation.ts).
 */
import type { EntityDefinition } from '../define-entity.ts';
import type { PluginDefinition } from '../define-plugin.ts';
import { BODY_DIRECTIONS } from '../protocol/body-step.ts';
import { HOST_FRAMES } from '../protocol/frames.ts';
import type { Invalidation } from '../protocol/host-call.ts';
import {
  type EntityManifest,
  type PackageManifest,
  PHASE_NAMES,
  type PluginManifest,
} from '../protocol/manifest.ts';
import type { GuestConfiguration, NodeFacts } from '../protocol/plan.ts';
import { API_LEVEL, PROTOCOL_VERSION } from '../protocol/version.ts';
import { forgetInstance, noteInstances, startBatch, startConfigured, startTimer } from './background.ts';
import { addGeneration, dropGeneration } from './configuration.ts';
import { hear, resumeConversation, startConversation } from './conversation.ts';
import { forgetLookups, invalidateEntities, limitEntityCache } from './entity-cache.ts';
import { collectMetrics, declareMetric } from './metric-store.ts';
import { migrateRows } from './migrate-rows.ts';
import { setNodeFacts } from './node-view.ts';
import { forgetHostCalls, settleHostCall } from './outbox.ts';
import {
  abandonLog,
  activeCalls,
  expireLogs,
  startAccess,
  startLog,
  startResponse,
  startRewrite,
} from './run-phase.ts';
import { closeBody, feedBody, openBody, TRANSFORM_HANDLERS } from './transform-body.ts';
import { endSample, startSample, takeUsage } from './usage.ts';
import { abandonLoads, forgetLoads } from './value-cache.ts';

/** What the host finds in the isolate after loading a bundle. Every function takes and returns text. */
export interface GuestRuntime {
  describe(): string;
  configure(json: string): string;
  pump(frames: string): string;
  /**
   * To be called after a pump was cut short: how many of its frames were begun, the last of which is to blame.
   * Promise reactions that were due are lost then, so lookups under way are forgotten; frames are given out again.
   */
  resume(): number;
  collectMetrics(): string;
  /** Throws what the self-test of a plugin throws. */
  selfTest(): string;
  /** Takes a MigrationOrder and answers with the rows as MigratedRows, both as JSON. */
  migrate(json: string): string;
}

const DEFAULT_PROTOCOLS = ['grpc', 'grpcs', 'http', 'https'];
const DEFAULT_SCOPES = ['global', 'service', 'route', 'consumer'] as const;

export function createRuntime(definitions: readonly PluginDefinition[]): GuestRuntime {
  startConversation(receiveFrame);
  const plugins = new Map(definitions.map((definition) => [definition.name, definition]));
  for (const { metrics } of definitions) {
    for (const [name, declaration] of Object.entries(metrics ?? {})) declareMetric(name, declaration);
  }
  return {
    describe: () => JSON.stringify(describePackage(definitions)),
    configure(json) {
      const { configuration, cacheEntries, node } = JSON.parse(json) as {
        readonly configuration: GuestConfiguration;
        readonly cacheEntries: number;
        readonly node?: NodeFacts;
      };
      setNodeFacts(node);
      limitEntityCache(cacheEntries);
      noteInstances(addGeneration(configuration, plugins));
      return '';
    },
    pump(frames) {
      begunFrames = 0;
      endSample();
      if (wasCut) resumeConversation();
      wasCut = false;
      return hear(frames);
    },
    resume() {
      wasCut = true;
      forgetLookups();
      forgetLoads();
      abandonLog();
      return begunFrames;
    },
    collectMetrics: () => JSON.stringify({ ...collectMetrics(), usage: takeUsage() }),
    selfTest() {
      for (const definition of definitions) definition.selfTest?.();
      return '';
    },
    migrate: (json) => JSON.stringify(migrateRows(definitions, JSON.parse(json))),
  };
}

/** Frames that the current crossing has begun with, replies in its midst included. */
let begunFrames = 0;
let wasCut = false;

function receiveFrame(kind: string, id: number, payload: string): void {
  if (kind === HOST_FRAMES.sample) {
    startSample();
    return;
  }
  begunFrames++;
  switch (kind) {
    case HOST_FRAMES.rewrite:
      startRewrite(id, payload);
      break;
    case HOST_FRAMES.access:
      startAccess(id, payload);
      break;
    case HOST_FRAMES.response:
      startResponse(id, payload);
      break;
    case HOST_FRAMES.log:
      startLog(id, payload);
      break;
    case HOST_FRAMES.reply:
      settleHostCall(payload, false);
      break;
    case HOST_FRAMES.failure:
      settleHostCall(payload, true);
      break;
    case HOST_FRAMES.cancel:
      cancelCall(id);
      break;
    case HOST_FRAMES.expire:
      expireLogs(Number(payload));
      break;
    case HOST_FRAMES.drop:
      dropGeneration(id);
      break;
    case HOST_FRAMES.openBody:
      openBody(id, payload);
      break;
    case HOST_FRAMES.feedBody:
      feedBody(id, payload);
      break;
    case HOST_FRAMES.closeBody:
      closeBody(id);
      break;
    case HOST_FRAMES.batch:
      startBatch(id, payload);
      break;
    case HOST_FRAMES.timer:
      startTimer(id, payload);
      break;
    case HOST_FRAMES.configured:
      startConfigured(id);
      break;
    case HOST_FRAMES.forget:
      forgetInstance(payload);
      break;
    case HOST_FRAMES.invalidate:
      invalidateEntities(JSON.parse(payload) as Invalidation);
      break;
    default:
      throw new TypeError(`unknown frame '${kind}'`);
  }
}

function cancelCall(id: number): void {
  const call = activeCalls.get(id);
  if (call !== undefined) abandonLoads(call);
  call?.finish();
  activeCalls.delete(id);
  forgetHostCalls(id);
}

function describePackage(definitions: readonly PluginDefinition[]): PackageManifest {
  return { protocolVersion: PROTOCOL_VERSION, apiLevel: API_LEVEL, plugins: definitions.map(describePlugin) };
}

function describePlugin(definition: PluginDefinition): PluginManifest {
  return {
    name: definition.name,
    aliases: definition.aliases ?? [],
    version: definition.version,
    priority: definition.priority,
    phases: PHASE_NAMES.filter((phase) => typeof definition[phase] === 'function'),
    scopes: definition.scopes ?? DEFAULT_SCOPES,
    protocols: definition.protocols ?? DEFAULT_PROTOCOLS,
    ...(definition.defaultProtocols && { defaultProtocols: definition.defaultProtocols }),
    schema: definition.schema,
    capabilities: definition.capabilities ?? {},
    metrics: definition.metrics ?? {},
    logRecord: definition.logRecord ?? 'full',
    responseNeeds: definition.responseNeeds ?? '',
    ...describeTransforms(definition),
    ...describeBackground(definition),
    ...(definition.entities && { entities: definition.entities.map(describeEntity) }),
  };
}

function describeEntity(entity: EntityDefinition): EntityManifest {
  const adminApiName = entity.adminApiName ?? entity.name;
  return {
    name: entity.name,
    adminApiName,
    adminApiNestedName: entity.adminApiNestedName ?? adminApiName,
    ...(entity.endpointKey !== undefined && { endpointKey: entity.endpointKey }),
    fields: entity.fields,
    checks: entity.checks ?? [],
    tags: entity.tags ?? false,
    ttl: entity.ttl ?? false,
    generateAdminApi: entity.generateAdminApi ?? true,
    revision: (entity.migrations?.length ?? 0) + 1,
  };
}

function describeTransforms(definition: PluginDefinition): Pick<PluginManifest, 'transforms'> {
  const transforms = BODY_DIRECTIONS.filter(
    (direction) => typeof definition[TRANSFORM_HANDLERS[direction]] === 'function',
  );
  return transforms.length === 0 ? {} : { transforms };
}

function describeBackground(definition: PluginDefinition): Pick<PluginManifest, 'background'> {
  const { timers = [] } = definition;
  const takesBatches = typeof definition.onBatch === 'function';
  const configures = typeof definition.configure === 'function';
  if (!takesBatches && !configures && timers.length === 0) return {};
  return { background: { takesBatches, configures, timers: timers.map(({ everyMs }) => everyMs) } };
}
