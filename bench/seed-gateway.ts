/**
 * Writes the scenarios into a gateway through its Admin API, with the same requests for Tollgate and for Kong
 * (contract/admin-api.md section 2.3: a PUT creates or replaces, so an earlier run does no harm).
 */
import { CONSUMER_KEY, CONSUMER_NAME, REQUESTS_PER_MINUTE, SCENARIO_PATHS } from './scenario.ts';

interface Write {
  readonly path: string;
  readonly body: unknown;
}

const PLUGINS = [
  { id: 'b2d1a8c0-6f0e-4a5e-9c57-3f1c2f7f0a01', name: 'key-auth', config: {} },
  {
    id: 'b2d1a8c0-6f0e-4a5e-9c57-3f1c2f7f0a02',
    name: 'rate-limiting',
    config: { minute: REQUESTS_PER_MINUTE, policy: 'local' },
  },
  {
    id: 'b2d1a8c0-6f0e-4a5e-9c57-3f1c2f7f0a03',
    name: 'prometheus',
    config: {
      per_consumer: true,
      status_code_metrics: true,
      latency_metrics: true,
      bandwidth_metrics: true,
    },
  },
];

const TRACING_ID = 'b2d1a8c0-6f0e-4a5e-9c57-3f1c2f7f0a04';

/** Throws with the gateway's own answer when a write is refused. */
export async function seedGateway(adminUrl: string, upstreamUrl: string): Promise<void> {
  for (const write of listWrites(upstreamUrl)) await send(adminUrl, 'PUT', write.path, write.body);
}

/** Traces of every request, exported to `endpoint`. */
export async function seedTracing(adminUrl: string, endpoint: string): Promise<void> {
  const config = { traces_endpoint: endpoint };
  await send(adminUrl, 'PUT', `/plugins/${TRACING_ID}`, { name: 'opentelemetry', config });
}

/** Removes what `seedGateway` wrote, for a gateway that outlives the run. */
export async function clearGateway(adminUrl: string): Promise<void> {
  const paths = [
    '/routes/bench-plain',
    '/routes/bench-three',
    '/services/bench-plain',
    '/services/bench-three',
    `/consumers/${CONSUMER_NAME}`,
  ];
  for (const path of paths) await send(adminUrl, 'DELETE', path, undefined);
}

function listWrites(upstreamUrl: string): Write[] {
  return [
    { path: '/services/bench-plain', body: { url: upstreamUrl } },
    { path: '/services/bench-plain/routes/bench-plain', body: { paths: [SCENARIO_PATHS.plain] } },
    { path: '/services/bench-three', body: { url: upstreamUrl } },
    { path: '/services/bench-three/routes/bench-three', body: { paths: [SCENARIO_PATHS['three-plugins']] } },
    ...PLUGINS.map(({ id, ...body }) => ({ path: `/services/bench-three/plugins/${id}`, body })),
    { path: `/consumers/${CONSUMER_NAME}`, body: {} },
    { path: `/consumers/${CONSUMER_NAME}/key-auth/${CONSUMER_KEY}`, body: {} },
  ];
}

async function send(adminUrl: string, method: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${adminUrl}${path}`, {
    method,
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
}
