/** Health of targets: what the node knows of it, and an operator's word on it (contract/admin-api.md sections 3.6 and 3.7). */
import type { EntityRow } from '../../entities/define-entity.ts';
import type { AddressHealth, TargetHealth, UpstreamHealth } from '../../health/describe-health.ts';
import type { EntityStore } from '../../store/entity-store.ts';
import {
  type AdminAnswer,
  type AdminRequest,
  answerJson,
  type Endpoint,
  NO_CONTENT,
} from '../admin-exchange.ts';
import { AdminRefusal, notFound } from '../admin-refusal.ts';
import { answerPage, readPagingArguments } from '../answer-page.ts';
import { firstArgument } from '../parse-arguments.ts';
import { TARGETS_TEMPLATE, type TargetFinder } from './targets.ts';

export interface TargetHealthDependencies {
  readonly finder: TargetFinder;
  readonly store: EntityStore;
  readonly nodeId: string;
  /** Undefined while the node does not keep the upstream. */
  readonly findHealth: (upstreamId: string) => Promise<UpstreamHealth | undefined>;
  /** Resolves when this node acts on what was announced. */
  readonly publish: () => Promise<void>;
}

export function targetHealthEndpoints(dependencies: TargetHealthDependencies): Endpoint[] {
  return [
    {
      template: '/upstreams/{upstreams}/health',
      methods: { GET: (request) => showHealth(dependencies, request) },
    },
    ...[true, false].flatMap((isHealthy) => {
      const put = { PUT: (request: AdminRequest) => orderHealth(dependencies, request, isHealthy) };
      const word = isHealthy ? 'healthy' : 'unhealthy';
      return [
        { template: `${TARGETS_TEMPLATE}/{targets}/${word}`, methods: put },
        { template: `${TARGETS_TEMPLATE}/{targets}/{address}/${word}`, methods: put },
      ];
    }),
  ];
}

async function showHealth(
  { finder, nodeId, findHealth }: TargetHealthDependencies,
  request: AdminRequest,
): Promise<AdminAnswer> {
  const upstream = await finder.requireUpstream(request);
  const health = await findHealth(upstream.id);
  const asked = firstArgument(request.query, 'balancer_health')?.value;
  if (asked === true || asked === '1' || asked === 'true') {
    const data = health === undefined ? {} : { data: describeBalancer(health) };
    return answerJson(200, { ...data, next: null, node_id: nodeId });
  }
  const page = await finder.page(upstream, readPagingArguments(request.query));
  const rows = page.rows.map((row) => ({ ...row, ...describeTarget(row, health) }));
  const path = `/upstreams/${encodeURIComponent(request.captures[0] ?? '')}/health`;
  const answer = answerPage({ ...page, rows }, path, request.query, []);
  return answerJson(200, { ...JSON.parse(answer.content?.text ?? '{}'), node_id: nodeId });
}

async function orderHealth(
  { finder, store, findHealth, publish }: TargetHealthDependencies,
  request: AdminRequest,
  isHealthy: boolean,
): Promise<AdminAnswer> {
  const upstream = await finder.requireUpstream(request);
  const { id } = await finder.requireTarget(request, upstream);
  const address = request.captures[2];
  const name = String(upstream['name']);
  const health = await findHealth(upstream.id);
  const target = health?.targets.find((known) => known.id === id);
  if (health === undefined || target === undefined) {
    throw new AdminRefusal(400, `Upstream ${name} has no balancer`);
  }
  if (!health.isChecked) throw new AdminRefusal(400, `no healthchecker found for ${name}`);
  if (address !== undefined && !target.addresses.some((known) => addressText(known) === address)) {
    throw notFound();
  }
  await store.announce({
    kind: 'target_health',
    subject: id,
    details: [
      `upstream=${upstream.id}`,
      `healthy=${isHealthy}`,
      ...(address === undefined ? [] : [`address=${address}`]),
    ],
  });
  await publish();
  return NO_CONTENT;
}

function addressText({ ip, port }: AddressHealth): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

const HEALTH_WORDS = { true: 'HEALTHY', false: 'UNHEALTHY' } as const;
const wordOf = (isHealthy: boolean) => HEALTH_WORDS[isHealthy ? 'true' : 'false'];

/** Nothing is said of what the node does not know yet. */
function describeTarget({ id, weight }: EntityRow, health: UpstreamHealth | undefined): object {
  const target = health?.targets.find((known) => known.id === id);
  if (health === undefined || target === undefined || target.isResolving) return {};
  const isOff = !health.isChecked || weight === 0;
  const word = target.hasProblem
    ? 'DNS_ERROR'
    : isOff
      ? 'HEALTHCHECKS_OFF'
      : wordOf(target.addresses.some(({ isHealthy }) => isHealthy));
  const addresses = target.addresses.map(({ isHealthy, ...address }) => ({
    ...address,
    health: isOff ? 'HEALTHCHECKS_OFF' : wordOf(isHealthy),
  }));
  return { health: word, data: { ...describeHost(target), addresses } };
}

function describeBalancer({ id, isChecked, isServing, targets }: UpstreamHealth) {
  const balancerHealth = wordOf(isServing);
  return {
    id,
    health: isChecked ? balancerHealth : 'HEALTHCHECKS_OFF',
    balancer_health: balancerHealth,
    details: {
      healthy: isServing,
      weight: sumWeights(targets.flatMap(({ addresses }) => addresses)),
      hosts: targets.map((target) => ({
        ...describeHost(target),
        addresses: target.addresses.map(({ isHealthy, ...address }) => ({ ...address, healthy: isHealthy })),
      })),
    },
  };
}

function describeHost({ host, port, records, weight, addresses }: TargetHealth) {
  return { host, port, dns: records, nodeWeight: weight, weight: sumWeights(addresses) };
}

function sumWeights(addresses: readonly AddressHealth[]) {
  const sum = (list: readonly AddressHealth[]) => list.reduce((total, { weight }) => total + weight, 0);
  const total = sum(addresses);
  const available = sum(addresses.filter(({ isHealthy }) => isHealthy));
  return { total, available, unavailable: total - available };
}
