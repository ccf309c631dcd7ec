/**
 * What one match costs as the number of plain-prefix routes grows. Prints nanoseconds per match, the median of
 * several rounds. Run: node bench/micro/router-match.ts
 */
import { compileRouter } from '../../core/router/compile-router.ts';
import type { RouteRule, Router, RouterRequest } from '../../core/router/route-rule.ts';

const ROUTE_COUNTS = [10, 1000, 100_000];
const REQUESTS = 1000;
const PASSES = 50;
const ROUNDS = 9;

function makeRules(count: number, withHosts: boolean): RouteRule<number>[] {
  return Array.from({ length: count }, (_, number) => ({
    id: `route-${number}`,
    createdAt: number,
    methods: null,
    hosts: withHosts ? [`tenant-${number}.example.com`] : null,
    paths: [`/api/v${number % 7}/resource-${number}`],
    headers: null,
    snis: null,
    regexPriority: 0,
    value: number,
  }));
}

function makeRequests(count: number): RouterRequest[] {
  return Array.from({ length: REQUESTS }, (_, index) => {
    const number = (index * 7919) % count;
    return {
      method: 'GET',
      host: `tenant-${number}.example.com`,
      defaultPort: 80,
      // Through bytes: text as it comes from the network, not a string the engine has interned.
      path: Buffer.from(`/api/v${number % 7}/resource-${number}/items/${index}`).toString('latin1'),
      scheme: 'http' as const,
      sni: undefined,
      headers: ['accept', '*/*', 'user-agent', 'bench'],
    };
  });
}

function measureNsPerMatch(router: Router<number>, requests: readonly RouterRequest[]): number {
  const rounds: number[] = [];
  let matched = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = process.hrtime.bigint();
    for (let pass = 0; pass < PASSES; pass++) {
      for (const request of requests) if (router.match(request) !== null) matched++;
    }
    rounds.push(Number(process.hrtime.bigint() - startedAt) / (PASSES * requests.length));
  }
  if (matched !== ROUNDS * PASSES * requests.length) throw new Error('a request found no route');
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

for (const withHosts of [false, true]) {
  for (const count of ROUTE_COUNTS) {
    const router = compileRouter(makeRules(count, withHosts));
    const nsPerMatch = measureNsPerMatch(router, makeRequests(count));
    const kind = withHosts ? 'host and prefix' : 'prefix only';
    console.log(
      `${kind.padEnd(16)} ${String(count).padStart(7)} routes  ${nsPerMatch.toFixed(0).padStart(5)} ns/match`,
    );
  }
}
