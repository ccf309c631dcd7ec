/**
 * What finding a route costs, by the number of routes: plain prefixes alone, prefixes on hosts of their own, and a mix
 * as operators have it. Also what compiling the router and planning a snapshot of as many routes cost, which is paid
 * with every change of the configuration.
 * Run: node bench/micro/router-match.ts [numbers of routes, default 10 1000 100000]
 */
import { randomUUID } from 'node:crypto';
import { buildPlan } from '../../core/config/build-plan.ts';
import { EMPTY_SNAPSHOT, type RouteRow, type ServiceRow } from '../../core/config/snapshot.ts';
import { compileRouter } from '../../core/router/compile-router.ts';
import type { RouteRule, Router, RouterRequest } from '../../core/router/route-rule.ts';

const MATCHES = 200_000;
const ROUNDS = 5;
/** Requests asked for in turn, spread over all routes. */
const REQUESTS = 512;

type Kind = 'prefixes' | 'hosts' | 'mixed';
type Conditions = Pick<RouteRow, 'methods' | 'hosts' | 'paths' | 'headers'>;

const EMPTY: Conditions = { methods: null, hosts: null, paths: null, headers: null };

function conditionsOf(kind: Kind, index: number): Conditions {
  const path = `/team-${index % 97}/api-${index}/v1`;
  if (kind === 'prefixes') return { ...EMPTY, paths: [path] };
  if (kind === 'hosts') return { ...EMPTY, hosts: [`api-${index}.example.com`], paths: ['/v1'] };
  const shape = index % 10;
  if (shape === 0) return { ...EMPTY, hosts: [`*.tenant-${index}.example.com`], paths: [path] };
  if (shape === 1) return { ...EMPTY, paths: [`~${path}/(?<id>\\d+)$`] };
  if (shape === 2) return { ...EMPTY, methods: ['GET', 'POST'], paths: [path] };
  if (shape === 3) return { ...EMPTY, paths: [path], headers: { 'x-version': ['2'] } };
  return { ...EMPTY, paths: [path] };
}

function requestFor(kind: Kind, index: number): RouterRequest {
  const onHost = kind === 'hosts' ? `api-${index}.example.com` : `a.tenant-${index}.example.com`;
  const path = kind === 'hosts' ? '/v1/things/17' : `/team-${index % 97}/api-${index}/v1/17`;
  return {
    method: 'GET',
    host: onHost,
    defaultPort: 80,
    // Through bytes: text as it comes from the network, not a string the engine has interned.
    path: Buffer.from(path).toString('latin1'),
    scheme: 'http',
    sni: undefined,
    headers: ['host', onHost, 'user-agent', 'bench', 'accept', '*/*', 'x-version', '2'],
  };
}

function rulesOf(kind: Kind, count: number): RouteRule<number>[] {
  return Array.from({ length: count }, (_, index) => ({
    id: String(index),
    createdAt: index,
    snis: null,
    regexPriority: 0,
    value: index,
    ...conditionsOf(kind, index),
  }));
}

/** Fastest of some rounds: what disturbs only ever makes a round slower. */
function measureMatchNs(kind: Kind, count: number, router: Router<number>): number {
  const step = Math.max(1, Math.floor(count / REQUESTS));
  const requests = Array.from({ length: REQUESTS }, (_, at) => requestFor(kind, (at * step) % count));
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = process.hrtime.bigint();
    let found = 0;
    for (let at = 0; at < MATCHES; at++) {
      if (router.match(requests[at % REQUESTS] as RouterRequest) !== null) found++;
    }
    const elapsed = Number(process.hrtime.bigint() - startedAt);
    if (found !== MATCHES) throw new Error(`${MATCHES - found} of ${MATCHES} requests found no route`);
    fastest = Math.min(fastest, elapsed / MATCHES);
  }
  return fastest;
}

function timeMs(run: () => unknown): number {
  const startedAt = performance.now();
  run();
  return performance.now() - startedAt;
}

function planMs(kind: Kind, count: number): { readonly first: number; readonly changed: number } {
  const service = serviceRow();
  const routes = Array.from({ length: count }, (_, index) => routeRow(kind, index, service.id));
  const snapshot = { ...EMPTY_SNAPSHOT, version: 1, services: [service], routes };
  const refuse = ({ id }: { readonly id: string }) => {
    throw new Error(`route ${id} cannot be compiled`);
  };
  const first = timeMs(() => buildPlan(snapshot, [], refuse));
  const added = { ...snapshot, version: 2, routes: [...routes, routeRow(kind, count, service.id)] };
  return { first, changed: timeMs(() => buildPlan(added, [], refuse)) };
}

function serviceRow(): ServiceRow {
  return {
    id: randomUUID(),
    name: 'bench',
    enabled: true,
    protocol: 'http',
    host: '127.0.0.1',
    port: 80,
    path: null,
    retries: 5,
    connect_timeout: 60_000,
    write_timeout: 60_000,
    read_timeout: 60_000,
  } as unknown as ServiceRow;
}

function routeRow(kind: Kind, index: number, serviceId: string): RouteRow {
  return {
    id: randomUUID(),
    name: `route-${index}`,
    created_at: index,
    protocols: ['http', 'https'],
    snis: null,
    regex_priority: 0,
    https_redirect_status_code: 426,
    strip_path: true,
    path_handling: 'v0',
    preserve_host: false,
    request_buffering: true,
    response_buffering: true,
    service: { id: serviceId },
    ...conditionsOf(kind, index),
  } as unknown as RouteRow;
}

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10, 1000, 100_000];
console.log('| routes | kind | a match | compiling the router | planning it all | planning one change |');
console.log('| ---: | --- | ---: | ---: | ---: | ---: |');
for (const kind of ['prefixes', 'hosts', 'mixed'] as const) {
  for (const count of counts) {
    const rules = rulesOf(kind, count);
    let router: Router<number> | undefined;
    const compileMs = timeMs(() => {
      router = compileRouter(rules);
    });
    const matchNs = measureMatchNs(kind, count, router as Router<number>);
    const plan = planMs(kind, count);
    const cells = [`${count}`, kind, `${matchNs.toFixed(0)} ns`];
    for (const ms of [compileMs, plan.first, plan.changed]) cells.push(`${ms.toFixed(1)} ms`);
    console.log(`| ${cells.join(' | ')} |`);
  }
}
