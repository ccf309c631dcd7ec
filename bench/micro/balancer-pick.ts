/**
 * What choosing an address costs, by algorithm and number of addresses: paid once for each attempt of a request for an
 * upstream. A service without an upstream does not come here.
 * Run: node bench/micro/balancer-pick.ts [numbers of addresses, default 2 10 100]
 */

import { ALGORITHMS, type AlgorithmName } from '../../core/balancing/algorithms/by-name.ts';
import { Balancer, makeUpstreamMemory } from '../../core/balancing/balancer.ts';
import type { UpstreamSettings } from '../../core/balancing/balancer-rules.ts';
import { hashText } from '../../core/balancing/hash-text.ts';
import { makeHealthMemory } from '../../core/balancing/health-cell.ts';

const PICKS = 1_000_000;
const ROUNDS = 5;
const HASHES = Array.from({ length: 1024 }, (_, at) => hashText(`client ${at}`));

function settingsOf(algorithm: AlgorithmName): UpstreamSettings {
  const checks = { healthy: { http_statuses: [], successes: 0 } };
  const none = { http_statuses: [], tcp_failures: 0, timeouts: 0, http_failures: 0 };
  return {
    id: algorithm,
    name: `${algorithm}.upstream`,
    algorithm,
    hash_on: null,
    hash_fallback: null,
    hash_on_header: null,
    hash_fallback_header: null,
    hash_on_cookie: null,
    hash_on_cookie_path: null,
    hash_on_query_arg: null,
    hash_fallback_query_arg: null,
    hash_on_uri_capture: null,
    hash_fallback_uri_capture: null,
    slots: null,
    host_header: null,
    use_srv_name: null,
    healthchecks: { threshold: 0, passive: { ...checks, unhealthy: none } },
  };
}

function createBalancer(algorithm: AlgorithmName, count: number): Balancer {
  const balancer = new Balancer(settingsOf(algorithm), () => {});
  balancer.take({
    upstreamId: algorithm,
    memory: makeUpstreamMemory(),
    isResolving: false,
    addresses: Array.from({ length: count }, (_, at) => ({
      targetId: String(at),
      host: `10.0.${at >> 8}.${at & 255}`,
      ip: `10.0.${at >> 8}.${at & 255}`,
      port: 8000,
      weight: 100,
      srvName: '',
      health: makeHealthMemory(),
    })),
  });
  return balancer;
}

function measure(balancer: Balancer): number {
  const startedAtMs = performance.now();
  for (let pick = 0; pick < PICKS; pick++) {
    const address = balancer.pick(HASHES[pick & 1023]!, []);
    if (address === undefined) throw new Error('nothing to choose');
    if (address.latencyMs === 0) address.noteLatency(5, startedAtMs);
  }
  return ((performance.now() - startedAtMs) * 1e6) / PICKS;
}

const counts = process.argv.slice(2).map(Number);
for (const count of counts.length > 0 ? counts : [2, 10, 100]) {
  for (const algorithm of Object.keys(ALGORITHMS) as AlgorithmName[]) {
    const balancer = createBalancer(algorithm, count);
    const rounds = Array.from({ length: ROUNDS }, () => measure(balancer));
    console.log(`${count} addresses, ${algorithm}: ${Math.min(...rounds).toFixed(0)} ns a pick`);
  }
}
