/**
 * Turns a snapshot into what the request path runs on: a compiled router whose matches carry everything known of a
 * route, and the configuration each plugin package needs. Pure and all-or-nothing: it either returns or throws.
 */
import type { PackageManifest, PluginManifest } from '../../sdk/protocol/manifest.ts';
import type { GuestConfiguration, GuestPlan, Instance, InstanceCandidates } from '../../sdk/protocol/plan.ts';
import type { LanePhases, PlanGeneration, PlanSegment, RoutePlan } from '../gateway/route-plan.ts';
import { compileRouter, type RefuseRule } from '../router/compile-router.ts';
import type { RouteRule, Router } from '../router/route-rule.ts';
import { type FindBalancer, planUpstream } from './plan-upstream.ts';
import { type CertificateReader, planUpstreamTls } from './plan-upstream-tls.ts';
import { consumersOf, findCandidates, groupByScope, type PluginScopes } from './scope-lookup.ts';
import type { PluginRow, RouteRow, ServiceRow, Snapshot } from './snapshot.ts';

export interface RoutingPlan {
  readonly generation: PlanGeneration;
  readonly router: Router<RoutePlan>;
  /** Applies where nothing matches: global plugins' later phases. */
  readonly unmatched: RoutePlan;
  /** Plugins with a rewrite phase that are attached to nothing: they run before it is known what matches. */
  readonly rewriteSegments: readonly PlanSegment[];
  /** By lane. */
  readonly guests: readonly GuestConfiguration[];
}

/** A plugin of a snapshot, where it runs and what it declares. */
interface PlannedPlugin {
  readonly scopes: PluginScopes;
  readonly lane: number;
  readonly manifest: PluginManifest;
  /** Numbers of the instances that run in the response phase; undefined for all. */
  readonly responders: ReadonlySet<number> | undefined;
}

/** Where certificates refer to no secrets. */
const PLAIN_CERTIFICATES: CertificateReader = { read: (text) => text, onUnreadable: () => {} };

type Draft<Plan> = { -readonly [Member in keyof Plan]: Plan[Member] };

interface GuestDraft {
  readonly instances: Instance[];
  readonly plans: GuestPlan[];
  readonly consumers: Record<string, Readonly<Record<string, number>>>;
}

/**
 * `packages`: the manifest of each lane, by index. Plugins that no package offers are left out, and so is a route
 * that cannot be compiled (stored by a build with other rules): `refuse` hears of it, the others are served.
 * `findBalancer` knows the upstreams of the snapshot, `certificates` the secrets its certificates refer to.
 */
export function buildPlan(
  snapshot: Snapshot,
  packages: readonly PackageManifest[],
  refuse: RefuseRule,
  findBalancer: FindBalancer = () => undefined,
  certificates: CertificateReader = PLAIN_CERTIFICATES,
): RoutingPlan {
  const generation: PlanGeneration = { number: snapshot.version, inFlight: 0, isCurrent: true };
  const drafts: GuestDraft[] = packages.map(() => ({ instances: [], plans: [], consumers: {} }));
  const plugins = planPlugins(snapshot.plugins, packages, drafts);
  const services = new Map(snapshot.services.map((service) => [service.id, service]));

  const findTls = planUpstreamTls(snapshot, certificates);

  const rules: RouteRule<RoutePlan>[] = [];
  for (const route of snapshot.routes) {
    const service = route.service === null ? null : (services.get(route.service.id) ?? null);
    if (service !== null && !service.enabled) continue;
    const upstream = service === null ? null : planUpstream(route, service, findBalancer, findTls);
    rules.push(ruleOf(route, { ...planRoute(generation, route, service, plugins, drafts), upstream }));
  }
  return {
    generation,
    router: compileRouter(rules, refuse),
    unmatched: planRoute(generation, null, null, plugins, drafts),
    rewriteSegments: planRewrite(plugins, drafts),
    guests: drafts.map((draft, lane) => ({
      generation: generation.number,
      ...draft,
      ...(packages[lane]?.plugins.some(({ capabilities }) => capabilities.serviceTarget === true) && {
        upstreams: snapshot.upstreams.map(({ name }) => name),
      }),
    })),
  };
}

/** Enabled plugins in the order they run: descending priority, ties by descending name. */
function planPlugins(
  rows: readonly PluginRow[],
  packages: readonly PackageManifest[],
  drafts: readonly GuestDraft[],
): PlannedPlugin[] {
  const byName = Map.groupBy(
    rows.filter(({ enabled }) => enabled),
    ({ name }) => name,
  );
  const planned: PlannedPlugin[] = [];
  for (const [lane, { plugins }] of packages.entries()) {
    for (const manifest of plugins) {
      const draft = drafts[lane] as GuestDraft;
      const numbered = (byName.get(manifest.name) ?? []).map(
        (row) => [draft.instances.push(instanceOf(row)) - 1, row] as const,
      );
      if (numbered.length === 0) continue;
      const scopes = groupByScope(manifest.name, numbered);
      const consumers = consumersOf(scopes);
      if (consumers !== undefined) draft.consumers[manifest.name] = consumers;
      planned.push({ scopes, lane, manifest, responders: findResponders(manifest, numbered) });
    }
  }
  return planned.sort(
    ({ manifest: a }, { manifest: b }) => b.priority - a.priority || (a.name < b.name ? 1 : -1),
  );
}

/** The instances that have something to do in the response phase; undefined for all of them. */
function findResponders(
  { responseNeeds }: PluginManifest,
  instances: readonly (readonly [number, PluginRow])[],
): ReadonlySet<number> | undefined {
  if (responseNeeds === '') return undefined;
  const isResponder = ({ config }: PluginRow) => (config[responseNeeds] ?? false) !== false;
  return new Set(instances.flatMap(([number, row]) => (isResponder(row) ? [number] : [])));
}

/** The plugin as it is on a route with these candidates: without a phase in which none of them does anything. */
function onRoute(
  { manifest, responders }: PlannedPlugin,
  candidates: InstanceCandidates,
  ofConsumers: Readonly<Record<string, number>> = {},
): PluginManifest {
  if (responders === undefined) return manifest;
  const { consumerAndRoute, routeAndService, fallback } = candidates;
  const couldRespond =
    responders.size > 0 &&
    (responders.has(routeAndService) ||
      responders.has(fallback) ||
      [consumerAndRoute, ofConsumers].some((byConsumer) =>
        Object.values(byConsumer).some((number) => responders.has(number)),
      ));
  return couldRespond
    ? manifest
    : { ...manifest, phases: manifest.phases.filter((phase) => phase !== 'response') };
}

/** With `globalOnly` the plugins are those that apply to every request. */
function planRoute(
  generation: PlanGeneration,
  route: RouteRow | null,
  service: ServiceRow | null,
  plugins: readonly PlannedPlugin[],
  drafts: readonly GuestDraft[],
  globalOnly = false,
): RoutePlan {
  const segments: Draft<PlanSegment>[] = [];
  const lanes = new Map<number, LanePhases>();
  let isTraced = false;
  let open: { readonly lane: number; readonly steps: InstanceCandidates[] } | undefined;
  for (const plugin of plugins) {
    const { scopes, lane, manifest } = plugin;
    const candidates = globalOnly
      ? findCandidates(scopes, undefined, undefined)
      : findCandidates(scopes, route?.id, service?.id);
    if (candidates === undefined) continue;
    isTraced ||= manifest.capabilities.traceExport === true;
    if (open?.lane !== lane) {
      open = { lane, steps: [] };
      const plan = (drafts[lane] as GuestDraft).plans.push({ steps: open.steps, route, service }) - 1;
      segments.push({ lane, plan, wantsCaptures: false });
    }
    open.steps.push(candidates);
    segments[segments.length - 1]!.wantsCaptures ||= manifest.capabilities.uriCaptures === true;
    const plan = segments[segments.length - 1]?.plan ?? 0;
    const { consumers } = drafts[lane] as GuestDraft;
    const effective = onRoute(plugin, candidates, consumers[manifest.name]);
    lanes.set(lane, addPhases(lanes.get(lane) ?? noPhases(lane, plan), effective));
  }
  const phases = [...lanes.values()];
  const gate = globalOnly ? 'open' : gateOf(route);
  return {
    generation,
    route,
    service,
    segments,
    lanes: phases,
    hasResponsePhase: phases.some(({ hasResponse }) => hasResponse),
    transformsRequest: phases.some(({ transformsRequest }) => transformsRequest),
    transformsResponse: phases.some(({ transformsResponse }) => transformsResponse),
    isTraced,
    gate,
    refused: gate === 'open' ? null : planRoute(generation, route, service, plugins, drafts, true),
    upstream: null,
  };
}

function planRewrite(plugins: readonly PlannedPlugin[], drafts: readonly GuestDraft[]): PlanSegment[] {
  const segments: PlanSegment[] = [];
  let open: { readonly lane: number; readonly steps: InstanceCandidates[] } | undefined;
  for (const { scopes, lane, manifest } of plugins) {
    const candidates = findCandidates(scopes, undefined, undefined);
    if (!manifest.phases.includes('rewrite') || candidates === undefined || candidates.fallback < 0) continue;
    if (open?.lane !== lane) {
      open = { lane, steps: [] };
      const plans = (drafts[lane] as GuestDraft).plans;
      segments.push({
        lane,
        plan: plans.push({ steps: open.steps, route: null, service: null }) - 1,
        wantsCaptures: false,
      });
    }
    open.steps.push(candidates);
  }
  return segments;
}

function noPhases(lane: number, plan: number): LanePhases {
  return {
    lane,
    plan,
    hasResponse: false,
    hasLog: false,
    needsResponseBody: false,
    needsFullRecord: false,
    transformsRequest: false,
    transformsResponse: false,
  };
}

function addPhases(
  phases: LanePhases,
  { phases: has, transforms = [], capabilities, logRecord }: PluginManifest,
): LanePhases {
  const hasLog = has.includes('log');
  const hasResponse = has.includes('response');
  return {
    ...phases,
    hasResponse: phases.hasResponse || hasResponse,
    hasLog: phases.hasLog || hasLog,
    needsResponseBody: phases.needsResponseBody || (hasResponse && capabilities.responseBody === true),
    needsFullRecord: phases.needsFullRecord || (hasLog && logRecord === 'full'),
    transformsRequest: phases.transformsRequest || transforms.includes('request'),
    transformsResponse: phases.transformsResponse || transforms.includes('response'),
  };
}

function instanceOf({ id, name, config, route, service }: PluginRow): Instance {
  return { id, plugin: name, config, routeId: route?.id ?? null, serviceId: service?.id ?? null };
}

function gateOf(route: RouteRow | null): RoutePlan['gate'] {
  const protocols = route?.protocols ?? [];
  if (protocols.includes('grpc')) return 'grpc';
  if (protocols.includes('grpcs')) return 'grpcs-only';
  return protocols.includes('https') && !protocols.includes('http') ? 'https-only' : 'open';
}

function ruleOf(route: RouteRow, value: RoutePlan): RouteRule<RoutePlan> {
  return {
    id: route.id,
    createdAt: route.created_at,
    methods: route.methods,
    hosts: route.hosts,
    paths: route.paths,
    headers: route.headers,
    snis: route.snis,
    regexPriority: route.regex_priority ?? 0,
    value,
  };
}
