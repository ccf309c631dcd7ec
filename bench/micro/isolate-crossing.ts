/**
 * CPU of a request in the sandbox, from writing the call to reading its outcome: key-auth, rate-limiting and the
 * log record for prometheus, with one to thirty-two requests in a turn of the event loop. Prints microseconds a
 * request.
 */
import { encodeAccessCall, encodeLogCall } from '../../core/gateway/encode-call.ts';
import type { ClientExchange } from '../../core/http/client-exchange.ts';
import type { PhaseOutcome } from '../../core/pipeline/phase-outcome.ts';
import { bundlePackage } from '../../core/sandbox/bundle-package.ts';
import { IsolateLane } from '../../core/sandbox/isolate-lane.ts';
import { createLaneHost } from '../../core/sandbox/lane-host.ts';
import { EVENTS, LIMITS, SERVICES } from './lane-surroundings.ts';

const CONSUMER = { id: '0f3a8e1c-6e0b-4c39-9a7e-0d6a2f6b8c11', username: 'pro-user', custom_id: null };
const CREDENTIAL = {
  id: '7c1e2a52-4a56-4d8f-8f29-9a8b3c0d1e22',
  key: 'secret',
  consumer: { id: CONSUMER.id },
};
const ROUNDS = 20_000;
const REPEATS = 5;

const bundle = await bundlePackage({
  name: 'bundled',
  entries: ['key-auth', 'rate-limiting', 'metrics'].map(
    (name) => new URL(`../../plugins/${name}/index.ts`, import.meta.url),
  ),
});

const lane = new IsolateLane(
  bundle,
  LIMITS,
  createLaneHost({
    ...SERVICES,
    findEntity: async (entity) => (entity === 'consumers' ? CONSUMER : CREDENTIAL),
  }),
  EVENTS,
);
lane.configure({
  generation: 1,
  instances: [
    {
      id: 'a',
      plugin: 'key-auth',
      routeId: null,
      serviceId: 's',
      config: {
        key_names: ['apikey'],
        hide_credentials: false,
        anonymous: null,
        key_in_header: true,
        key_in_query: true,
        key_in_body: false,
        run_on_preflight: true,
        realm: null,
      },
    },
    {
      id: 'b',
      plugin: 'rate-limiting',
      routeId: null,
      serviceId: 's',
      config: {
        second: null,
        minute: 1e9,
        hour: null,
        day: null,
        month: null,
        year: null,
        limit_by: 'consumer',
        header_name: null,
        path: null,
        policy: 'local',
        hide_client_headers: false,
        error_code: 429,
        error_message: 'API rate limit exceeded',
      },
    },
    {
      id: 'c',
      plugin: 'prometheus',
      routeId: null,
      serviceId: 's',
      config: {
        per_consumer: true,
        status_code_metrics: true,
        ai_metrics: false,
        latency_metrics: true,
        bandwidth_metrics: true,
        upstream_health_metrics: false,
      },
    },
  ],
  plans: [
    {
      route: { id: 'r', name: 'three' },
      service: { id: 's', name: 'three', host: '127.0.0.1' },
      steps: ['key-auth', 'rate-limiting', 'prometheus'].map((plugin, fallback) => ({
        plugin,
        consumerAndRoute: {},
        routeAndService: -1,
        fallback,
      })),
    },
  ],
  consumers: {},
});

const exchange = {
  method: 'GET',
  rawPath: '/three/anything',
  rawQuery: undefined,
  headers: [
    'host',
    '127.0.0.1:8000',
    'user-agent',
    'curl/8.5.0',
    'accept',
    '*/*',
    'apikey',
    'secret',
    'x-tenant',
    'acme',
  ],
  host: '127.0.0.1:8000',
  scheme: 'http',
  httpVersion: '1.1',
  peerAddress: '127.0.0.1',
  localPort: 8000,
  receivedAtMs: 1.5,
} as unknown as ClientExchange;
const facts = {
  generation: 1,
  exchange,
  path: '/three/anything',
  clientAddress: '127.0.0.1',
  requestId: 'f'.repeat(32),
  consumer: '',
  credential: '',
  shared: '',
  strippedPrefix: '',
};

const RECORD = {
  status: 200,
  source: 'service',
  gatewayLatencyMs: 1,
  upstreamLatencyMs: 2,
  requestLatencyMs: 3,
  bytesReceived: 180,
  bytesSent: 420,
  upstreamStatus: 200,
} as const;

function runTurn(requests: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = requests;
    const listener = {
      onPhaseOutcome(outcome: PhaseOutcome) {
        if (outcome.kind !== 'proceed') reject(new Error(JSON.stringify(outcome)));
        const { picks, consumer, credential } = outcome;
        lane.submitLog(encodeLogCall({ ...facts, consumer, credential }, 0, picks, RECORD));
        if (--left === 0) resolve();
      },
      onPhaseFailure: (reason: string, detail: string) => reject(new Error(`${reason}: ${detail}`)),
      readBody: async () => new Uint8Array(0),
    };
    for (let at = 0; at < requests; at++) lane.submit('access', encodeAccessCall(facts, 0, true), listener);
  });
}

/** The least of several: everything else the machine does can only add. */
async function measure(requests: number): Promise<string> {
  const turns = Math.ceil(ROUNDS / requests);
  let least = Number.POSITIVE_INFINITY;
  let crossings = 0;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const crossingsBefore = lane.stats().crossings;
    const before = process.cpuUsage();
    for (let at = 0; at < turns; at++) await runTurn(requests);
    const { user, system } = process.cpuUsage(before);
    crossings = (lane.stats().crossings - crossingsBefore) / turns;
    least = Math.min(least, (user + system) / (turns * requests));
  }
  return `${requests} a turn: ${least.toFixed(2)} us a request, ${crossings.toFixed(1)} crossings a turn`;
}

for (let at = 0; at < 2000; at++) await runTurn(4);
for (const requests of [1, 4, 16, 32]) console.log(await measure(requests));
lane.dispose();
