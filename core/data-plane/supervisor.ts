/**
 * The control process's hold on the data plane: starts it, starts it again when it ends, tells it about changes and
 * waits until every worker serves them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { ConfigurationUpdate } from '../config/known-configuration.ts';
import type { ConfigurationServers } from '../config/node-configuration.ts';
import type { Snapshot } from '../config/snapshot.ts';
import { applyDelta } from '../config/snapshot-delta.ts';
import type { CounterTake } from '../counters/cluster-counters.ts';
import type { UpstreamHealth } from '../health/describe-health.ts';
import { WORKER_HEAP_FLAGS } from '../sandbox/young-generation.ts';
import type { GatewayLogger, KongLogLevel } from '../telemetry/logger.ts';
import type { ActivePackage, PackageVersion } from './active-package.ts';
import { openCrashJournal } from './crash-journal.ts';
import type {
  Boot,
  Command,
  ControlMessage,
  CountMessage,
  DataPlaneMessage,
  FindMessage,
  HealthQuestion,
  ListMessage,
  Row,
  WorkerAnswer,
  WorkerMeasurements,
} from './messages.ts';
import { Suspensions } from './suspensions.ts';

const PROCESS_MODULE = fileURLToPath(new URL('./process.ts', import.meta.url));
/** Between attempts to start a data plane that does not serve for even this long. */
const RESTART_PAUSE_MS = 500;
/** A package that has ended the data plane does not run for so long. */
const SUSPENSION_MS = 600_000;
/** Longer than this no Admin answer waits for a worker. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface DataPlaneServices {
  /** The row whose unique field has this value, or null. Rejects when the store cannot be asked. */
  findRow(entity: string, field: string, value: string): Promise<Row | null>;
  /** All rows of the entity whose reference `field` is to this parent. Rejects when the store cannot be asked. */
  listRows(entity: string, field: string, parentId: string): Promise<readonly Row[]>;
  /** For each call the use of its windows before it. Rejects when the database cannot count. */
  countInCluster(takes: readonly CounterTake[]): Promise<readonly (readonly number[])[]>;
}

interface PendingCommand {
  resolve(answers: readonly WorkerAnswer[]): void;
  readonly timer: NodeJS.Timeout;
}

/** The message says what the operator needs. */
export class DataPlaneStartError extends Error {
  override readonly name = 'DataPlaneStartError';
}

export class DataPlane implements ConfigurationServers {
  readonly #services: DataPlaneServices;
  readonly #logger: GatewayLogger;
  readonly #pending = new Map<number, PendingCommand>();
  #boot: Boot;
  #child: ChildProcess | undefined;
  #lastNumber = 0;
  #isStopping = false;
  #isServing = false;
  #servesSinceMs = 0;
  readonly #journal = openCrashJournal();
  readonly #suspensions = new Suspensions();

  constructor(boot: Boot, services: DataPlaneServices, logger: GatewayLogger) {
    this.#boot = boot;
    this.#services = services;
    this.#logger = logger;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Every worker has started and listens. */
  get isServing(): boolean {
    return this.#isServing;
  }

  /**
   * Resolves to what the plugin packages declare once every worker listens. Rejects with DataPlaneStartError when
   * one cannot, and leaves no process behind then.
   */
  start(): Promise<readonly PackageManifest[]> {
    return new Promise((resolve, reject) => {
      this.#spawn(resolve, (reason) => {
        this.#isStopping = true;
        reject(new DataPlaneStartError(`the proxy cannot start: ${reason}`));
      });
    });
  }

  /** Resolves when all workers serve the snapshot. A data plane that is down starts with it. */
  async publish(snapshot: Snapshot): Promise<void> {
    this.#boot = { ...this.#boot, snapshot };
    refuseFailure(await this.#command((number) => ({ kind: 'snapshot', number, snapshot })));
  }

  /** Resolves when all workers serve the change, and none the rows of before from a cache. */
  async update(update: ConfigurationUpdate): Promise<void> {
    this.#boot = { ...this.#boot, snapshot: applyDelta(this.#boot.snapshot, update.delta) };
    refuseFailure(await this.#command((number) => ({ kind: 'update', number, update })));
  }

  /** Resolves when every worker has loaded the version, which gets no traffic yet. Rejects with what one says of it. */
  async stagePackage(version: PackageVersion): Promise<void> {
    const answers = await this.#command((number) => ({ kind: 'stage', number, version }));
    if (answers.length === 0) throw new Error('the data plane does not serve at the moment');
    const failed = answers.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(failed.error);
  }

  /**
   * Resolves when all workers serve these published packages, and none else. Rejects when one cannot, after all have
   * gone back to those of before.
   */
  async usePackages(given: readonly ActivePackage[]): Promise<void> {
    const before = this.#boot.packages;
    const packages = this.#suspensions.mark(given);
    this.#boot = { ...this.#boot, packages };
    try {
      refuseFailure(await this.#command((number) => ({ kind: 'packages', number, packages })));
    } catch (error) {
      this.#boot = { ...this.#boot, packages: before };
      await this.#command((number) => ({ kind: 'packages', number, packages: before }));
      throw error;
    }
  }

  /** Resolves when every worker logs at this level, for the time given. */
  async setLogLevel(level: KongLogLevel, timeoutSeconds: number): Promise<void> {
    await this.#command((number) => ({ kind: 'log-level', number, level, timeoutSeconds }));
  }

  async measure(): Promise<readonly WorkerMeasurements[]> {
    if (!this.#isServing) return [];
    const answers = await this.#command((number) => ({ kind: 'measure', number }));
    return answers.flatMap(({ measurements }) => (measurements === undefined ? [] : [measurements]));
  }

  /** Of this upstream, or of all. Empty while there is no data plane, or no such upstream. */
  async describeHealth(upstreamId?: string): Promise<readonly UpstreamHealth[]> {
    if (!this.#isServing) return [];
    const answers = await this.#command((number) => ({ kind: 'describe-health', number, upstreamId }));
    return answers.flatMap(({ upstreams }) => upstreams ?? []);
  }

  /** Stops accepting, lets requests under way finish, and resolves when the process has ended. */
  stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      this.#send({ kind: 'drain' });
    });
  }

  /** One of the two is called, once. */
  #spawn(onReady: (packages: readonly PackageManifest[]) => void, onFailed: (reason: string) => void): void {
    const child = fork(PROCESS_MODULE, [], {
      serialization: 'advanced',
      execArgv: [...WORKER_HEAP_FLAGS],
      // The journal is where JOURNAL_FD says.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', this.#journal?.fd ?? 'ignore'],
    });
    this.#child = child;
    let isStarting = true;
    const fail = (reason: string) => {
      if (!isStarting) return;
      isStarting = false;
      onFailed(reason);
      // It ignores the gentler signals: a terminal sends those to the whole group.
      child.kill('SIGKILL');
    };
    child.on('message', (raw) => {
      const message = raw as DataPlaneMessage;
      if (message.kind === 'ready') {
        isStarting = false;
        this.#isServing = true;
        this.#servesSinceMs = performance.now();
        onReady(message.packages);
      } else if (message.kind === 'failed') fail(message.reason);
      else this.#receive(message);
    });
    child.on('error', (error) => this.#logger.error({ err: error }, 'data plane process'));
    child.once('exit', (code, signal) => {
      fail(`its process ended with ${signal ?? `exit code ${code}`}`);
      this.#replace(code, signal);
    });
    this.#send({ kind: 'boot', boot: this.#boot });
  }

  #replace(code: number | null, signal: string | null): void {
    const servedMs = this.#isServing ? performance.now() - this.#servesSinceMs : 0;
    this.#isServing = false;
    for (const number of [...this.#pending.keys()]) this.#settle(number, []);
    if (this.#isStopping) {
      this.#journal?.close();
      return;
    }
    this.#logger.error({ code, signal }, 'the data plane ended; starting it again');
    this.#suspendGuilty();
    const restart = () => {
      if (this.#isStopping) return;
      this.#spawn(
        () => this.#logger.notice('the data plane serves again'),
        (reason) => this.#logger.error({ reason }, 'the data plane cannot start'),
      );
    };
    setTimeout(restart, servedMs >= RESTART_PAUSE_MS ? 0 : RESTART_PAUSE_MS);
  }

  /** Whatever was running when the process died would do it again. */
  #suspendGuilty(): void {
    const { packages, settings } = this.#boot;
    const guilty = this.#suspensions.blame(this.#journal?.read(settings.workers) ?? [], packages);
    this.#journal?.clear();
    for (const each of guilty) {
      const { name, current } = each;
      this.#logger.error(
        { package: name, package_version: current.version, for_ms: SUSPENSION_MS },
        'a package has ended the data plane and is suspended',
      );
      setTimeout(() => {
        this.#suspensions.lift(each);
        this.usePackages(this.#boot.packages).catch(() => {});
      }, SUSPENSION_MS).unref();
    }
    this.#boot = { ...this.#boot, packages: this.#suspensions.mark(packages) };
  }

  #receive(message: Exclude<DataPlaneMessage, { kind: 'ready' | 'failed' }>): void {
    if (message.kind === 'done') this.#settle(message.number, message.answers);
    else if (message.kind === 'count') void this.#answerCount(message);
    else if (message.kind === 'list') void this.#answerList(message);
    else void this.#answerFind(message);
  }

  async #answerFind({ worker, number, entity, field, value }: FindMessage): Promise<void> {
    try {
      const row = await this.#services.findRow(entity, field, value);
      this.#send({ kind: 'found', worker, number, row });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#send({ kind: 'find-failed', worker, number, reason });
    }
  }

  async #answerList({ worker, number, entity, field, value }: ListMessage): Promise<void> {
    try {
      const rows = await this.#services.listRows(entity, field, value);
      this.#send({ kind: 'listed', worker, number, rows });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#send({ kind: 'find-failed', worker, number, reason });
    }
  }

  async #answerCount({ worker, number, takes }: CountMessage): Promise<void> {
    try {
      this.#send({ kind: 'counted', worker, number, uses: await this.#services.countInCluster(takes) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#send({ kind: 'count-failed', worker, number, reason });
    }
  }

  /** A data plane that is still starting has its boot message before this one, and answers once it serves. */
  #command(make: (number: number) => Command | HealthQuestion): Promise<readonly WorkerAnswer[]> {
    if (this.#child?.connected !== true) return Promise.resolve([]);
    const number = ++this.#lastNumber;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#logger.error({ number }, 'a worker has not answered in time');
        this.#settle(number, []);
      }, ANSWER_TIMEOUT_MS);
      this.#pending.set(number, { resolve, timer });
      this.#send(make(number));
    });
  }

  #settle(number: number, answers: readonly WorkerAnswer[]): void {
    const command = this.#pending.get(number);
    if (command === undefined) return;
    this.#pending.delete(number);
    clearTimeout(command.timer);
    command.resolve(answers);
  }

  #send(message: ControlMessage): void {
    if (this.#child?.connected === true) this.#child.send(message);
  }
}

function refuseFailure(answers: readonly WorkerAnswer[]): void {
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`a worker cannot serve the configuration: ${failed.error}`);
}
