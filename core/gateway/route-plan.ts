/** What a match yields: everything a request needs to know of its route, worked out once per snapshot. Plain data. */

import type { BalancedAddress } from '../balancing/address.ts';
import type { Balancer } from '../balancing/balancer.ts';
import type { BalancerRules } from '../balancing/balancer-rules.ts';
import type { RouteRow, ServiceRow } from '../config/snapshot.ts';
import type { UpstreamOrigin } from '../upstream/forward-request.ts';

/** One generation of configuration, alive while requests that started with it are. */
export interface PlanGeneration {
  readonly number: number;
  inFlight: number;
  isCurrent: boolean;
}

/** Consecutive plugins of one package: one crossing. */
export interface PlanSegment {
  /** Index of the package's lane. */
  readonly lane: number;
  /** Number of the guest's plan. */
  readonly plan: number;
  /** One of its plugins wants to know what the route's pattern has matched. */
  readonly wantsCaptures: boolean;
}

/** What the plugins of one package could do in later phases of this route. */
export interface LanePhases {
  readonly lane: number;
  /** Plan named in response and log calls: it carries route and service. */
  readonly plan: number;
  readonly hasResponse: boolean;
  readonly hasLog: boolean;
  /** A response handler wants the whole body. */
  readonly needsResponseBody: boolean;
  /** A log handler wants the request's headers. */
  readonly needsFullRecord: boolean;
  /** A plugin may transform bodies as they pass. */
  readonly transformsRequest: boolean;
  readonly transformsResponse: boolean;
}

export interface RoutePlan {
  readonly generation: PlanGeneration;
  /** Null where nothing matched. */
  readonly route: RouteRow | null;
  readonly service: ServiceRow | null;
  readonly segments: readonly PlanSegment[];
  readonly lanes: readonly LanePhases[];
  readonly hasResponsePhase: boolean;
  readonly transformsRequest: boolean;
  readonly transformsResponse: boolean;
  /** A plugin that could apply exports traces. */
  readonly isTraced: boolean;
  readonly gate: 'open' | 'https-only' | 'grpc' | 'grpcs-only';
  /** For requests that do not pass the gate: with global plugins alone. Null without a gate. */
  readonly refused: RoutePlan | null;
  /** Null without a service. */
  readonly upstream: UpstreamPlan | null;
}

/** An address of an upstream's target, as requests of one service are sent to it. */
export interface Peer {
  readonly origin: UpstreamOrigin;
  /** Host header sent when the route does not preserve the client's. */
  readonly hostHeader: string;
}

export interface UpstreamPlan {
  readonly origin: UpstreamOrigin;
  /** Undefined where the service's host is no upstream: it is looked up then. */
  readonly balancer: Balancer | undefined;
  peerAt(address: BalancedAddress, rules: BalancerRules): Peer;
  /** Host header sent when the route does not preserve the client's. */
  readonly hostHeader: string;
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** (normalised path, part of it the route consumed) → encoded path for the upstream. */
  readonly buildPath: (path: string, matchedPath: string) => string;
}
