/** A lane with one hostile package in it, a host that lives in memory, and a way to send it calls by what they shall do. */

import { digest } from '../../../core/crypto/digest.ts';
import { verifySignature } from '../../../core/crypto/verify-signature.ts';
import { encodeAccessCall, encodeBodyCall, encodeFullLogCall } from '../../../core/gateway/encode-call.ts';
import type { ClientExchange } from '../../../core/http/client-exchange.ts';
import type { PhaseFailureReason, PhaseOutcome } from '../../../core/pipeline/phase-outcome.ts';
import { ProcessLane } from '../../../core/plugin-process/process-lane.ts';
import type { BackgroundClock } from '../../../core/sandbox/background-clock.ts';
import { bundlePackage } from '../../../core/sandbox/bundle-package.ts';
import type { HostServices } from '../../../core/sandbox/host-calls.ts';
import { IsolateLane } from '../../../core/sandbox/isolate-lane.ts';
import type { IsolateLimits } from '../../../core/sandbox/isolate-limits.ts';
import { createLaneHost } from '../../../core/sandbox/lane-host.ts';
import type { Isolation, LaneStats, PackageLane } from '../../../core/sandbox/package-lane.ts';
import type { RequestTrace } from '../../../core/telemetry/tracing/request-trace.ts';
import type { LogLine } from '../../../sdk/protocol/phase-result.ts';
import type { TraceReport } from '../../../sdk/protocol/trace.ts';

export type CallResult =
  | { readonly outcome: PhaseOutcome; readonly report: TraceReport | undefined }
  | { readonly failure: PhaseFailureReason; readonly detail: string };

export interface LaneUnderTest {
  readonly lane: PackageLane;
  readonly incidents: PhaseFailureReason[];
  readonly logLines: LogLine[];
  /** Submits now; the fixture reads `does` from the header `x-do`. */
  run(does: string, trace?: RequestTrace, headers?: Readonly<Record<string, string>>): Promise<CallResult>;
  /** A body for the plugin to transform, piece by piece; rejects with the reason it fails for. */
  openBody(): Promise<BodyUnderTest>;
  /** Another configuration of the one instance; undefined for none. */
  configure(config: Readonly<Record<string, unknown>> | undefined): void;
  /** Submits a log record of such a request. */
  log(does: string, trace?: RequestTrace): void;
  /** As the lane knows it now, wherever its isolate is. */
  measure(): Promise<LaneStats>;
  /** No isolate can be loaded any more, or can again; in the worker only. */
  spoil(isSpoilt: boolean): void;
  end(): void;
}

export interface BodyUnderTest {
  feed(bytes: string, isLast?: boolean): Promise<string>;
  close(): void;
}

const LIMITS: IsolateLimits = {
  memoryMb: 16,
  crossingTimeoutMs: 60,
  phaseDeadlineMs: 1500,
  loadTimeoutMs: 2000,
  cacheEntries: 100,
  maxBodyBytes: 1000,
};

const SERVICES: HostServices = {
  findEntity: async (_, __, value) => (value === 'nobody' ? null : { id: value }),
  listEntities: async (_, __, id) => (id === 'nobody' ? [] : [{ id: `of ${id}` }]),
  crypto: { digest, verifySignature },
  takeCounters: (windows) => windows.map(() => 0),
  takeSharedCounters: async (_, windows) => windows.map(() => 0),
};

export let usualIsolation: Isolation = 'thread';

/** Of all lanes that are started from now on. */
export function useIsolation(isolation: Isolation): void {
  usualIsolation = isolation;
}

/** `fixture` names a module in test/sandbox/plugins. */
export async function startLane(
  fixture: string,
  limits: Partial<IsolateLimits> = {},
  services: Partial<HostServices> = {},
  isolation: Isolation = usualIsolation,
  clock?: BackgroundClock,
): Promise<LaneUnderTest> {
  const entry = new URL(`../plugins/${fixture}.ts`, import.meta.url);
  const bundle = { ...(await bundlePackage({ name: fixture, entries: [entry] })) };
  const { code } = bundle;
  const incidents: PhaseFailureReason[] = [];
  const logLines: LogLine[] = [];
  const boot = { bundle, limits: { ...LIMITS, ...limits } };
  const host = createLaneHost({ ...SERVICES, ...services });
  const events = {
    onLogLines: (lines: readonly LogLine[]) => logLines.push(...lines),
    onIncident: (reason: PhaseFailureReason) => incidents.push(reason),
    onConfigured: () => {},
    onCatastrophe: (message: string) => {
      throw new Error(message);
    },
  };
  const inThread = new IsolateLane(bundle, boot.limits, host, events, clock);
  let lane: PackageLane = inThread;
  if (isolation === 'process') {
    lane = new ProcessLane(boot, inThread.manifest, host, events);
    inThread.dispose();
    await lane.ready;
  }
  const plugin = lane.manifest.plugins[0]?.name ?? '';
  let generation = 0;
  const configure = (config: Readonly<Record<string, unknown>> | undefined) => {
    const instance = { id: 'i', plugin, config: config ?? {}, routeId: null, serviceId: null };
    const step = { plugin, consumerAndRoute: {}, routeAndService: -1, fallback: 0 };
    const hasInstance = config !== undefined;
    lane.configure({
      generation: ++generation,
      instances: hasInstance ? [instance] : [],
      plans: [{ route: null, service: null, steps: hasInstance ? [step] : [] }],
      consumers: {},
    });
  };
  configure({});
  return {
    lane,
    incidents,
    logLines,
    run: (does, trace, headers = {}) =>
      new Promise((resolve) => {
        let report: TraceReport | undefined;
        lane.submit('access', encodeAccessCall({ ...factsFor(does, headers), trace }, 0, true), {
          onPhaseOutcome: (outcome) => resolve({ outcome, report }),
          onPhaseTrace: (said) => {
            report = said;
          },
          onPhaseFailure: (failure, detail) => resolve({ failure, detail }),
          readBody: async () => Buffer.from('a body'),
        });
      }),
    openBody: () => openBody(lane),
    configure,
    log: (does, trace) =>
      lane.submitLog(encodeFullLogCall({ ...factsFor(does), trace }, 0, '0', LOG_FACTS, NO_ANSWER)),
    measure: async () => {
      await lane.collectMetrics();
      return lane.stats();
    },
    spoil: (isSpoilt) => {
      bundle.code = isSpoilt ? 'throw new Error("spoilt")' : code;
    },
    end: () => lane.dispose(),
  };
}

function openBody(lane: PackageLane): Promise<BodyUnderTest> {
  return new Promise((resolveOpened, rejectOpened) => {
    let settle: { resolve: (bytes: string) => void; reject: (error: Error) => void } | undefined;
    const response = { status: 200, source: 'service', headers: [], upstreamStatus: 200 } as const;
    const number = lane.openBody('response', encodeBodyCall(factsFor(''), 0, '0', response), {
      onBodyOpened: () =>
        resolveOpened({
          feed: (bytes, isLast = false) =>
            new Promise((resolve, reject) => {
              settle = { resolve, reject };
              lane.feedBody(number, bytes, isLast);
            }),
          close: () => lane.closeBody(number),
        }),
      onBodyFed: (bytes) => settle?.resolve(bytes),
      onBodyFailure: (reason, detail) => {
        const error = new Error(`${reason}: ${detail}`);
        if (settle === undefined) rejectOpened(error);
        else settle.reject(error);
      },
    });
  });
}

const LOG_FACTS = {
  status: 200,
  source: 'service',
  gatewayLatencyMs: 1,
  upstreamLatencyMs: 1,
  requestLatencyMs: 2,
  bytesReceived: 1,
  bytesSent: 1,
  upstreamStatus: 200,
} as const;

const NO_ANSWER = { upstreamTarget: '', tries: [], serviceHeaders: [], clientHeaders: [] };

function factsFor(does: string, headers: Readonly<Record<string, string>> = {}) {
  const exchange = {
    method: 'GET',
    rawPath: '/',
    rawQuery: undefined,
    headers: ['x-do', does, ...Object.entries(headers).flat()],
    scheme: 'http',
    httpVersion: '1.1',
    peerAddress: '127.0.0.1',
    localPort: 8000,
    receivedAtMs: 1,
  } as unknown as ClientExchange;
  return {
    generation: 1,
    exchange,
    path: '/',
    clientAddress: '127.0.0.1',
    requestId: 'f'.repeat(32),
    consumer: '',
    credential: '',
    shared: '',
    strippedPrefix: '',
  };
}

/** What a call came to, in a word: the kind of its outcome or the reason of its failure. */
export function verdictOf(result: CallResult): string {
  return 'failure' in result ? result.failure : result.outcome.kind;
}
