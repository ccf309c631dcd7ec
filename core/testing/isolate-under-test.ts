/** One lane with one package in it: phases of single calls as promises, and what its plugins have said meanwhile. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import { PluginFailure } from '../../sdk/testing/errors.ts';
import type { LoggedLine } from '../../sdk/testing/kit.ts';
import type { LanePhase } from '../pipeline/phase-lane.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';
import type { BackgroundClock } from '../sandbox/background-clock.ts';
import type { PackageBundle } from '../sandbox/bundle-package.ts';
import type { HostServices } from '../sandbox/host-calls.ts';
import { IsolateLane, type LaneEvents } from '../sandbox/isolate-lane.ts';
import type { IsolateLimits } from '../sandbox/isolate-limits.ts';
import { createLaneHost } from '../sandbox/lane-host.ts';
import { type BodyToPass, passBody } from './pass-body.ts';

const EVERYTHING = { entity: '', id: '', keys: [], withReferences: false, everything: true };

export class IsolateUnderTest {
  readonly #lane: IsolateLane;
  readonly #mapStack: (stack: string) => string;
  #lines: LogLine[] = [];

  /** Throws CrossingError when the bundle does not load. `mapStack`: to lines that its author knows. */
  constructor(
    bundle: PackageBundle,
    limits: IsolateLimits,
    services: HostServices,
    mapStack: (stack: string) => string,
    clock: BackgroundClock,
  ) {
    this.#mapStack = mapStack;
    const events: LaneEvents = {
      onLogLines: (lines) => this.#lines.push(...lines),
      // Whoever waits for the call hears of it.
      onIncident: () => {},
      onCatastrophe: (message) => {
        throw new Error(message);
      },
    };
    this.#lane = new IsolateLane(bundle, limits, createLaneHost(services), events, clock);
  }

  get manifest(): PackageManifest {
    return this.#lane.manifest;
  }

  get queued(): number {
    return this.#lane.stats().queuedEntries;
  }

  configure(configuration: GuestConfiguration): void {
    this.#lane.configure(configuration);
  }

  /** Nothing of it is needed any more, what was said while it was in force included. */
  forgetGeneration(generation: number): void {
    this.#lines = [];
    this.#lane.dropGeneration(generation);
  }

  /** Rejects with PluginFailure. `body`: the client's. */
  run(phase: LanePhase, call: string, body: Uint8Array): Promise<PhaseOutcome> {
    return new Promise((resolve, reject) => {
      this.#lane.submit(phase, call, {
        onPhaseOutcome: (outcome) => {
          const { failure } = outcome;
          if (failure === undefined) resolve(outcome);
          else reject(this.#failureOf(phase, `${failure.name}: ${failure.message}`, failure.stack));
        },
        onPhaseFailure: (reason, detail) => reject(new PluginFailure(phase, reason, detail)),
        readBody: async (maxBytes) => {
          if (body.length > maxBytes) throw new Error('request body file too big');
          return body;
        },
      });
    });
  }

  /** Resolves to the pieces that come out; undefined where the plugin lets the body pass. Rejects with PluginFailure. */
  pass(body: BodyToPass): Promise<readonly Buffer[] | undefined> {
    const phase = body.direction === 'request' ? 'transformRequest' : 'transformResponse';
    return passBody(this.#lane, body, (reason, detail) => {
      if (reason !== 'error') return new PluginFailure(phase, reason as PluginFailure['reason'], detail);
      const [text = '', ...stack] = detail.replace(/^plugin '[^']*' failed in \w+: /, '').split('\n');
      return this.#failureOf(phase, text, stack.join('\n'));
    });
  }

  /** Resolves once nothing runs any more; what waits for its time goes on waiting. */
  async settle(): Promise<void> {
    do await nextTurn();
    while (this.#lane.isBusy);
  }

  /** Returns once the log handlers have run. */
  record(call: string): void {
    this.#lane.submitLog(call);
    this.#lane.flush();
  }

  /** What is cached of rows is old. */
  forgetRows(): void {
    this.#lane.invalidate(EVERYTHING);
  }

  /** JSON of MetricDeltas. */
  collectMetrics(): string | undefined {
    return this.#lane.collectMetrics();
  }

  lines(): readonly LoggedLine[] {
    return this.#lines.map(({ level, message }) => ({ level, message: this.#mapStack(message) }));
  }

  /** Failures that do not keep a request from being answered are only in the log. Throws PluginFailure. */
  throwLoggedFailure(phase: PluginFailure['phase']): void {
    const prefix = phase === 'timers' ? 'timer failed: ' : `${phase} failed: `;
    for (const { level, message } of this.#lines) {
      if (level !== 'err' || !message.startsWith(prefix)) continue;
      const [text = '', ...stack] = message.slice(prefix.length).split('\n');
      throw this.#failureOf(phase, text, stack.join('\n'));
    }
  }

  dispose(): void {
    this.#lane.dispose();
  }

  #failureOf(phase: PluginFailure['phase'], text: string, stack: string): PluginFailure {
    return new PluginFailure(phase, 'error', text, this.#mapStack(stack));
  }
}
