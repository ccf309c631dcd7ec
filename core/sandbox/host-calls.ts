/**
 * The whole capability surface: every host call by name, what its argument must look like, and who performs it.
 * Replies are plain data; whatever is thrown here reaches the plugin as the message of a rejected promise.
 */
import { decodeCounterStore, type SharedCounterStore } from '../../sdk/protocol/counter-store.ts';
import {
  checkDigestArgument,
  checkVerifyArgument,
  type DigestArgument,
  type VerifyArgument,
} from '../../sdk/protocol/crypto.ts';
import { checkFetchArgument, type FetchArgument, type FetchReply } from '../../sdk/protocol/fetch.ts';
import {
  decodeTake,
  decodeTakeShared,
  type HostCallName,
  type WindowArgument,
} from '../../sdk/protocol/host-call.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { NodeFacts } from '../../sdk/protocol/plan.ts';
import { decodeTraceExport } from '../../sdk/protocol/trace.ts';
import type { PhaseListener } from '../pipeline/phase-lane.ts';
import { recallTake, rememberTake, type TakeMemory } from './counted-once.ts';

/** What the rest of the gateway does for guests. Implementations arrive as arguments: the sandbox knows none. */
export interface HostServices {
  /** Null when there is no such row. Rejects when nobody can be asked. */
  findEntity(entity: string, field: string, value: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** All rows whose reference `field` is to the row with this id. Rejects as `findEntity`. */
  listEntities(
    entity: string,
    field: string,
    id: string,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Absent: plugins have no cryptography. */
  readonly crypto?: CryptoServices;
  /** `egress`: what the package lists. Absent: plugins reach no other server. */
  fetch?(argument: FetchArgument, egress: readonly string[]): Promise<FetchReply>;
  takeCounters(windows: readonly WindowArgument[], cost: number): readonly number[];
  /** The same `store` object stands for the same store. Rejects when it cannot be asked. */
  takeSharedCounters(
    store: SharedCounterStore,
    windows: readonly WindowArgument[],
    cost: number,
  ): Promise<readonly number[]>;
  /** Told to guests as `kong.node`. */
  readonly node?: NodeFacts;
  /** Of the request with this span; `targetsJson` is checked there. Never throws, whatever becomes of it. */
  exportTrace?(spanId: string, targetsJson: string): void;
}

/** What they are given has been checked. Neither rejects, whatever it is. */
export interface CryptoServices {
  digest(argument: DigestArgument): string;
  verifySignature(argument: VerifyArgument): boolean | Promise<boolean>;
}

export interface HostCallContext {
  readonly services: HostServices;
  /** The request the call was made for; undefined for calls that belong to none. */
  readonly caller: Pick<PhaseListener, 'readBody'> | undefined;
  readonly permitted: PermittedCalls;
  /** Of the call, so that one that is run again does not count again. */
  readonly memory?: TakeMemory | undefined;
  readonly maxBodyBytes: number;
}

/** What the manifests of a package allow. Consumers may be looked up by everybody, and a package's own entities by it. */
export interface PermittedCalls {
  readonly entities: ReadonlySet<string>;
  /** Kinds of counter stores outside the node. */
  readonly counters: ReadonlySet<string>;
  readonly crypto: boolean;
  readonly egress: readonly string[];
  readonly requestBody: boolean;
  readonly traceExport: boolean;
}

const MAX_WINDOWS = 16;
const MAX_KEY_LENGTH = 1024;
/** Sums of it stay far from where counters overflow. */
const MAX_COST = 1_000_000_000;
const MAX_KNOWN_STORES = 1000;

type Perform = (argument: unknown, context: HostCallContext) => unknown;

const HOST_CALLS: Readonly<Record<HostCallName, Perform>> = {
  'entities.find': (argument, { services, permitted }) => {
    const { entity, field, value } = membersOf(argument);
    if (typeof entity !== 'string' || typeof field !== 'string' || typeof value !== 'string') {
      throw new TypeError('entities.find takes an entity, a field and a value');
    }
    if (!permitted.entities.has(entity)) throw new Error(`the manifest does not list the entity '${entity}'`);
    return services.findEntity(entity, field, value);
  },

  'entities.list': (argument, { services, permitted }) => {
    const { entity, field, id } = membersOf(argument);
    if (typeof entity !== 'string' || typeof field !== 'string' || typeof id !== 'string') {
      throw new TypeError('entities.list takes an entity, a reference and an id');
    }
    if (!permitted.entities.has(entity)) throw new Error(`the manifest does not list the entity '${entity}'`);
    return services.listEntities(entity, field, id);
  },

  'crypto.digest': (argument, context) => cryptoOf(context).digest(checkDigestArgument(membersOf(argument))),

  'crypto.verify': (argument, context) =>
    cryptoOf(context).verifySignature(checkVerifyArgument(membersOf(argument))),

  'counters.take': (argument, { services, memory }) => {
    if (typeof argument !== 'string') throw new TypeError('counters.take takes text');
    const known = memory && recallTake(memory, 'counters.take', argument);
    if (known !== undefined) return known;
    const { cost, windows } = decodeTake(argument);
    checkTake(windows, cost);
    const reply = services.takeCounters(windows, cost).join(',');
    if (memory !== undefined) rememberTake(memory, 'counters.take', argument, reply);
    return reply;
  },

  'counters.takeShared': (argument, { services, permitted, memory }) => {
    if (typeof argument !== 'string') throw new TypeError('counters.takeShared takes text');
    const known = memory && recallTake(memory, 'counters.takeShared', argument);
    if (known !== undefined) return known;
    const { store: text, cost, windows } = decodeTakeShared(argument);
    const store = storeNamed(text);
    if (!permitted.counters.has(store.kind)) {
      throw new Error(`the manifest does not list the counters '${store.kind}'`);
    }
    checkTake(windows, cost);
    const reply = services.takeSharedCounters(store, windows, cost).then((used) => used.join(','));
    if (memory !== undefined) rememberTake(memory, 'counters.takeShared', argument, reply);
    return reply;
  },

  'traces.export': (argument, { services, permitted }) => {
    if (!permitted.traceExport) throw new Error(`the manifest does not ask for 'traceExport'`);
    if (typeof argument !== 'string') throw new TypeError('traces.export takes text');
    const { spanId, targetsJson } = decodeTraceExport(argument);
    services.exportTrace?.(spanId, targetsJson);
    return null;
  },

  fetch: (argument, { services, permitted }) => {
    if (permitted.egress.length === 0) throw new Error(`the manifest does not ask for 'egress'`);
    if (services.fetch === undefined) throw new Error('there is no network here');
    return services.fetch(checkFetchArgument(membersOf(argument)), permitted.egress);
  },

  'request.body': async (_, { caller, permitted, maxBodyBytes }) => {
    if (!permitted.requestBody) throw new Error(`the manifest does not ask for 'requestBody'`);
    if (caller === undefined) throw new Error('there is no request');
    const bytes = await caller.readBody(maxBodyBytes);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  },
};

/** Performs a host call; the reply comes at once where nothing needs waiting for. */
export function performHostCall(name: string, argument: unknown, context: HostCallContext): unknown {
  if (!Object.hasOwn(HOST_CALLS, name)) throw new Error(`there is no host call '${name}'`);
  return HOST_CALLS[name as HostCallName](argument, context);
}

function cryptoOf({ services, permitted }: HostCallContext): CryptoServices {
  if (!permitted.crypto) throw new Error(`the manifest does not ask for 'crypto'`);
  if (services.crypto === undefined) throw new Error('there is no cryptography here');
  return services.crypto;
}

function membersOf(argument: unknown): Readonly<Record<string, unknown>> {
  return typeof argument === 'object' && argument !== null
    ? (argument as Readonly<Record<string, unknown>>)
    : {};
}

export function permittedBy(manifest: PackageManifest): PermittedCalls {
  const entities = new Set(['consumers']);
  for (const { capabilities, entities: own = [] } of manifest.plugins) {
    for (const entity of capabilities.entities ?? []) entities.add(entity);
    for (const { name } of own) entities.add(name);
  }
  return {
    entities,
    counters: new Set(manifest.plugins.flatMap(({ capabilities }) => capabilities.counters ?? [])),
    crypto: manifest.plugins.some(({ capabilities }) => capabilities.crypto === true),
    egress: [...new Set(manifest.plugins.flatMap(({ capabilities }) => capabilities.egress ?? []))],
    requestBody: manifest.plugins.some(({ capabilities }) => capabilities.requestBody === true),
    traceExport: manifest.plugins.some(({ capabilities }) => capabilities.traceExport === true),
  };
}

function checkTake(windows: readonly WindowArgument[], cost: number): void {
  if (windows.length === 0 || windows.length > MAX_WINDOWS || !windows.every(isWindow)) {
    throw new TypeError(`counters.take takes up to ${MAX_WINDOWS} windows of key, limit and expiry`);
  }
  if (!Number.isInteger(cost) || cost < 0 || cost > MAX_COST) {
    throw new RangeError(`cost must be a whole number up to ${MAX_COST}`);
  }
}

/** The same few texts come with every request. */
const knownStores = new Map<string, SharedCounterStore>();

function storeNamed(text: string): SharedCounterStore {
  let store = knownStores.get(text);
  if (store === undefined) {
    store = decodeCounterStore(text);
    if (knownStores.size >= MAX_KNOWN_STORES) knownStores.clear();
    knownStores.set(text, store);
  }
  return store;
}

function isWindow({ key, limit, expiresAtMs }: WindowArgument): boolean {
  return key.length <= MAX_KEY_LENGTH && Number.isFinite(limit) && Number.isFinite(expiresAtMs);
}
