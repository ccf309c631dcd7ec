/** What the request path works with: made once per worker, handed to every request. */
import type { Balancer } from '../balancing/balancer.ts';
import type { RoutingPlan } from '../config/build-plan.ts';
import type { PhaseLane } from '../pipeline/phase-lane.ts';
import type { Tracer } from '../telemetry/tracing/tracer.ts';
import type { ForwardEvents, ForwardExchange, ForwardRequest } from '../upstream/forward-request.ts';
import type { ClientAddressResolver } from './client-address.ts';
import type { ErrorTemplates } from './error-body.ts';
import type { ResponseHeaderPolicy } from './response-headers.ts';
import type { PlanGeneration } from './route-plan.ts';

export interface Gateway {
  /** By lane number, as plans name them. */
  readonly lanes: readonly PhaseLane[];
  readonly policy: GatewayPolicy;
  readonly tracer: Tracer;
  /** The live configuration. A request takes it once and keeps it. */
  currentPlan(): RoutingPlan;
  /** The balancer of an upstream by its name. */
  findBalancer(this: void, name: string): Balancer | undefined;
  forward(request: ForwardRequest, events: ForwardEvents): ForwardExchange;
  /** The last request of a generation that is no longer current has ended. */
  retireGeneration(generation: PlanGeneration): void;
  /** Called once for each request, when it has been answered and recorded or its client has gone. */
  requestEnded(): void;
  /** Something went wrong in a way the operator should see; `requestId` finds it in the client's answer. */
  logFailure(requestId: string, message: string, detail: string): void;
}

/** Settings compiled for the request path. */
export interface GatewayPolicy {
  readonly responseHeaders: ResponseHeaderPolicy;
  readonly resolveClientAddress: ClientAddressResolver;
  /** `tollgate/<version>`: Server and Via. */
  readonly productToken: string;
  readonly sendsRequestIdUpstream: boolean;
  readonly isDebugHeaderAllowed: boolean;
  readonly errorDefaultType: string;
  readonly errorTemplates: ErrorTemplates;
  /** Bytes of a body that may be held in memory to give it a length or to send it again. */
  readonly maxBufferedBodyBytes: number;
}
