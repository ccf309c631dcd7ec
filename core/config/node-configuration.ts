/**
 * What this node knows of the configuration, and how it stays up to date: read from the database at the start, or from
 * the node's own disk when the database is gone; followed change by change; handed to the workers. Rows that may be
 * millions are not held whole but looked up. While the database is away everything known goes on being served.
 */
import { batchLookups } from '../cache/batch-lookups.ts';
import type { CachedRow } from '../cache/row-cache.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import { type ChangeListener, listenForChanges } from '../store/change-listener.ts';
import type { LogExcerpt } from '../store/change-log.ts';
import {
  type ConfigurationReader,
  createConfigurationReader,
  type ReadingBound,
} from '../store/configuration-reader.ts';
import { createEntityStore, type ExpiringEntityStore } from '../store/create-entity-store.ts';
import type { Database } from '../store/database.ts';
import { DatabaseWatch } from '../store/database-watch.ts';
import { decryptReader, encryptStore, type FieldCipher, NO_CIPHER } from '../store/encrypted-fields.ts';
import { StoreUnavailableError } from '../store/entity-error.ts';
import type { EntityStore } from '../store/entity-store.ts';
import { createGuard, type Guard, guardStore } from '../store/guard-store.ts';
import { listChildren } from '../store/list-children.ts';
import { probeDatabase } from '../store/probe-database.ts';
import { coalesce } from './coalesce.ts';
import { type ConfigurationUpdate, KnownConfiguration } from './known-configuration.ts';
import type { Snapshot } from './snapshot.ts';
import { readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts';
import { createSnapshotKeeper, type SnapshotKeeper } from './snapshot-keeper.ts';

export interface ConfigurationDependencies {
  readonly database: Database;
  /** May change in place: those of published packages come and go. */
  readonly entities: readonly EntityDefinition[];
  /** Makes the entities of published packages known before rows are read: from the database, or without it. */
  readonly loadPackages?: (isDatabaseThere: boolean) => Promise<void>;
  /** Makes the schema what this build needs, or throws. */
  readonly prepareSchema: () => Promise<void>;
  /** Throws unless the schema is what this build needs. */
  readonly assertSchema: () => Promise<void>;
  /** For fields that are marked as encrypted, and for the snapshot on disk. Default: everything is in the clear. */
  readonly cipher?: FieldCipher;
  /** How often the database is asked for changes that nobody told of. */
  readonly pollSeconds: number;
  /** Rows held beside the snapshot, of all entities together. */
  readonly maxRows: number;
  /** Where the configuration is kept on disk, and whose it is; absent where the database is on this disk itself. */
  readonly snapshotFile?: { readonly path: string; readonly database: string };
  readonly logger: ConfigurationLogger;
}

type Log = (details: Readonly<Record<string, unknown>>, message: string) => void;

export interface ConfigurationLogger {
  readonly notice: Log;
  readonly warn: Log;
  readonly error: Log;
}

/** Both resolve when every worker serves what it was given, and reject when one cannot. */
export interface ConfigurationServers {
  /** Replaces everything, caches included. */
  publish(snapshot: Snapshot): Promise<void>;
  update(update: ConfigurationUpdate): Promise<void>;
}

const MAINTENANCE_MS = 60_000;
/** For each unique field: most connections are left to others. */
const LOOKUP_LIMITS = { maxValues: 200, maxQuestions: 2 };

type Lookup = (value: string) => Promise<EntityRow | undefined>;

export class NodeConfiguration {
  /** Fails at once while the database is lost. */
  readonly store: EntityStore;
  readonly #dependencies: ConfigurationDependencies;
  readonly #store: ExpiringEntityStore;
  readonly #reader: ConfigurationReader;
  readonly #watch: DatabaseWatch;
  readonly #guard: Guard;
  readonly #cipher: FieldCipher;
  readonly #known: KnownConfiguration;
  readonly #keeper: SnapshotKeeper;
  readonly #catchUp: () => Promise<void>;
  readonly #timers: NodeJS.Timeout[] = [];
  /** By field. */
  readonly #lookups = new WeakMap<EntityDefinition, Map<string, Lookup>>();
  #isSchemaKnown = false;
  #hasWarnedOfClearValue = false;
  #servers: ConfigurationServers | undefined;
  /** A worker has refused a step, so it has to be given everything. */
  #isOutOfStep = false;
  #listener: ChangeListener | undefined;
  #isStopping = false;

  constructor(dependencies: ConfigurationDependencies) {
    const { database, entities, logger } = dependencies;
    this.#dependencies = dependencies;
    this.#cipher = dependencies.cipher ?? NO_CIPHER;
    this.#store = encryptStore(createEntityStore(database, entities), this.#cipher, () =>
      this.#warnOfClearValue(),
    );
    this.#reader = decryptReader(createConfigurationReader(database, entities), this.#cipher);
    this.#watch = new DatabaseWatch(
      {
        probe: () => probeDatabase(database),
        dropConnections: () => database.kind === 'postgres' && database.dropConnections(),
        recover: () => this.#recover(),
      },
      {
        onLost: (problem) => logger.error({ problem }, 'the database is lost; serving what is known'),
        onUnusable: (problem) => logger.error({ problem }, 'the database answers but cannot be used yet'),
        onRecovered: () => {
          logger.notice({ sequence: this.snapshot.sequence }, 'the database is back and caught up with');
          this.#catchUpInBackground();
        },
      },
    );
    this.#guard = createGuard(this.#watch);
    this.store = guardStore(this.#store, this.#guard);
    this.#known = new KnownConfiguration(entities, dependencies.maxRows);
    this.#catchUp = coalesce(() => this.#takeChanges());
    this.#keeper = createSnapshotKeeper(
      () => this.#save(),
      (error) => logger.warn({ err: error }, 'the configuration could not be written to the disk'),
    );
  }

  get snapshot(): Snapshot {
    return this.#known.snapshot;
  }

  /** Why the database cannot be used; undefined while it can. */
  get databaseProblem(): string | undefined {
    return this.#watch.problem;
  }

  /**
   * Reads the configuration. With the database gone it is the one on the disk. Throws StoreUnavailableError when there
   * is neither, and what `prepareSchema` throws of a database that answers.
   */
  async load(): Promise<void> {
    const { logger, snapshotFile, loadPackages } = this.#dependencies;
    const reading =
      snapshotFile && (await readSnapshotFile(snapshotFile.path, snapshotFile.database, this.#cipher));
    if (reading?.kind === 'unusable') {
      logger.error({ path: snapshotFile?.path, reason: reading.reason }, 'the snapshot on disk is ignored');
    }
    const saved = reading?.kind === 'read' ? reading.saved : undefined;
    try {
      await this.#dependencies.prepareSchema();
      this.#isSchemaKnown = true;
      await loadPackages?.(true);
      // Which rows were in use before the node was stopped.
      if (saved !== undefined) this.#known.restoreRows(saved);
      await this.#readEverything();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (saved === undefined) throw withoutSnapshot(error, snapshotFile?.path);
      await loadPackages?.(false);
      this.#known.restore(saved);
      const problem = error.cause instanceof Error ? error.cause.message : error.message;
      this.#watch.lose(problem);
      logger.warn({ sequence: this.snapshot.sequence }, 'serving the configuration that was on the disk');
    }
  }

  /** From now on changes reach these workers, which serve the snapshot `served` already. */
  follow(servers: ConfigurationServers, served: Snapshot): void {
    const { database, pollSeconds } = this.#dependencies;
    this.#servers = servers;
    // The database may have come back while they started.
    this.#isOutOfStep = served !== this.snapshot;
    this.#timers.push(setInterval(() => void this.#maintain(), MAINTENANCE_MS).unref());
    // Nobody else can write to an embedded database.
    if (database.kind === 'embedded') return;
    const pollMs = pollSeconds * 1000;
    this.#timers.push(setInterval(() => this.#catchUpInBackground(), pollMs).unref());
    this.#listener = listenForChanges(database.createClient, pollMs, {
      // A node hears of its own writes too, when it serves them already.
      onChange: (sequence) => {
        if (sequence === undefined || sequence > this.snapshot.sequence) this.#catchUpInBackground();
      },
      onLost: () => this.#watch.suspect(),
    });
  }

  /** Resolves when the workers serve everything written before the call. Rejects when the database or a worker cannot. */
  publishChange = (): Promise<void> => this.#catchUp();

  /** The row whose unique field has this value, or null. Rejects when it is not known and cannot be asked for. */
  findRow = (entityName: string, field: string, value: string): Promise<CachedRow | null> =>
    this.#known.find(entityName, field, value, async (entity) => {
      const row = await this.#lookupIn(entity, field)(field === 'id' ? value.toLowerCase() : value);
      if (row !== undefined) this.#noteChange();
      return row;
    });

  /** All rows whose reference `field` is to this parent. Rejects as `findRow`, and when there are too many to hold. */
  listRows = (entityName: string, field: string, parentId: string): Promise<readonly CachedRow[]> =>
    this.#known.list(entityName, field, parentId, (entity) =>
      this.#guard(() => listChildren(this.#store, entity, field, parentId)),
    );

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#listener?.stop(), this.#watch.stop()]);
    await this.#keeper.close();
  }

  async #recover(): Promise<void> {
    // What is served came out of a database with a schema. One that comes back without is not the same any more, and
    // must not replace a whole configuration by an empty one.
    if (!this.#isSchemaKnown) await this.#dependencies.assertSchema();
    this.#isSchemaKnown = true;
    await this.#catchUp();
  }

  #lookupIn(entity: EntityDefinition, field: string): Lookup {
    const lookups = this.#lookups.get(entity) ?? new Map<string, Lookup>();
    this.#lookups.set(entity, lookups);
    const known = lookups.get(field);
    if (known !== undefined) return known;
    const ask = (values: readonly string[]) =>
      this.#guard(() => this.#reader.readByValues(entity, field, values));
    const lookup = batchLookups(ask, LOOKUP_LIMITS);
    lookups.set(field, lookup);
    return lookup;
  }

  #catchUpInBackground(): void {
    if (this.#watch.problem !== undefined) return;
    this.#catchUp().catch((error: unknown) => {
      // The watch knows of a lost database and tells of it once.
      if (error instanceof StoreUnavailableError || this.#isStopping) return;
      this.#dependencies.logger.error(
        { err: error },
        'a change of the configuration could not be taken over',
      );
    });
  }

  async #maintain(): Promise<void> {
    try {
      await this.#guard(() => this.#store.purgeExpired());
      await this.#guard(() => this.#reader.purgeChanges());
      await this.#catchUp();
    } catch {
      // Comes round again; what the database's failures mean for the node is the watch's business.
    }
  }

  /** Runs once at a time: see `coalesce`. */
  async #takeChanges(): Promise<void> {
    await this.#takeStep();
    await this.#readNewEntities();
  }

  async #takeStep(): Promise<void> {
    const reading = await this.#readChanges();
    if (reading === undefined) {
      this.#dependencies.logger.notice({}, 'reading the whole configuration');
      await this.#readEverything();
      await this.#publish();
      return;
    }
    if (reading.changes.length > 0) {
      const update = this.#known.apply(reading);
      this.#noteChange();
      if (!this.#isOutOfStep) return this.#hand((servers) => servers.update(update));
    }
    if (this.#isOutOfStep) await this.#publish();
  }

  /** Undefined when everything has to be read. */
  async #readChanges(): Promise<LogExcerpt | undefined> {
    const { position } = this.#known;
    if (position === undefined) return undefined;
    const read = () => this.#reader.readChanges(position);
    // While the node recovers, the guard still lets nobody through.
    return this.#watch.problem === undefined ? this.#guard(read) : read();
  }

  async #readEverything(): Promise<void> {
    const { whole, bounded } = this.#known;
    this.#known.replace(await this.#reader.readAll(whole, bounded, this.#readingBound));
    this.#noteChange();
  }

  /** So that they are known whole like others. Until then their rows are looked up one by one. */
  async #readNewEntities(): Promise<void> {
    const { unread } = this.#known;
    if (unread.length === 0) return;
    this.#known.replaceBounded(await this.#reader.readAll([], unread, this.#readingBound));
    this.#noteChange();
  }

  get #readingBound(): ReadingBound {
    const { maxRows } = this.#dependencies;
    return { maxRows, keptIds: (entity) => this.#known.listHeldIds(entity) };
  }

  async #publish(): Promise<void> {
    await this.#hand((servers) => servers.publish(this.snapshot));
    this.#isOutOfStep = false;
  }

  async #hand(give: (servers: ConfigurationServers) => Promise<void>): Promise<void> {
    if (this.#servers === undefined) return;
    try {
      await give(this.#servers);
    } catch (error) {
      this.#isOutOfStep = true;
      throw error;
    }
  }

  #warnOfClearValue(): void {
    if (this.#hasWarnedOfClearValue) return;
    this.#hasWarnedOfClearValue = true;
    this.#dependencies.logger.warn(
      {},
      'a field marked as encrypted is stored in the clear: there is no encryption_key',
    );
  }

  #noteChange(): void {
    if (this.#dependencies.snapshotFile !== undefined) this.#keeper.noteChange();
  }

  async #save(): Promise<void> {
    const { snapshotFile } = this.#dependencies;
    const known = this.#known.describe();
    if (snapshotFile === undefined || known === undefined) return;
    const saved = { database: snapshotFile.database, ...known };
    await writeSnapshotFile(snapshotFile.path, saved, this.#cipher);
  }
}

function withoutSnapshot(error: StoreUnavailableError, path: string | undefined): StoreUnavailableError {
  if (path === undefined) return error;
  const message = `the database is not reachable and there is no snapshot to serve from in ${path}`;
  return new StoreUnavailableError(error.cause, message);
}
