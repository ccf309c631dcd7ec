/** What a plugin package says of itself when it is loaded: plain data, read by the host before any request. */
import type { EntityCheck, FieldDefinition, FieldMap, RecordField } from '../schema/fields.ts';
import type { BodyDirection } from './body-step.ts';

/** A moment of a request at which plugins run. */
export type PhaseName = 'rewrite' | 'access' | 'response' | 'log';

export const PHASE_NAMES: readonly PhaseName[] = ['rewrite', 'access', 'response', 'log'];

/** Where an instance of a plugin may be attached. */
export type PluginScope = 'global' | 'service' | 'route' | 'consumer';

/** A metric that a plugin adds to, and that `/metrics` shows. */
export interface MetricDeclaration {
  readonly type: 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets in ascending order, without +Inf. */
  readonly buckets?: readonly number[];
}

/** What a plugin may reach beyond the request it is handed. Enforced by the host at each call. */
export interface Capabilities {
  /** Entities whose rows it may look up or list, e.g. `keyauth_credentials`. Consumers need not be listed. */
  readonly entities?: readonly string[];
  /** Hashes, and signatures to verify: they cost the gateway's time. */
  readonly crypto?: boolean;
  /** Counting outside the node: in the gateway's database, and in the Redis servers its stores name. */
  readonly counters?: readonly ('cluster' | 'redis')[];
  /**
   * Servers it may ask: origins such as `https://api.example.com` or `https://*.example.com`, and addresses or ranges
   * such as `10.0.0.0/8` that their names may stand for although they are private.
   */
  readonly egress?: readonly string[];
  /** Reading and replacing the client's body. */
  readonly requestBody?: boolean;
  /** Being told what the groups of a route's pattern have matched. */
  readonly uriCaptures?: boolean;
  /** Sending the spans of its requests to wherever its configuration says. Requests it takes part in are traced. */
  readonly traceExport?: boolean;
  /** The complete upstream body is collected before `response` runs, which ends streaming. */
  readonly responseBody?: boolean;
  /** Sending the request to another host or port, or with another scheme, than its service says. */
  readonly serviceTarget?: boolean;
}

/** Rows that a plugin has of its own. The gateway stores them and offers them in the Admin API; see define-entity.ts. */
export interface EntityManifest {
  readonly name: string;
  readonly adminApiName: string;
  readonly adminApiNestedName: string;
  readonly endpointKey?: string;
  readonly fields: FieldMap;
  readonly checks: readonly EntityCheck[];
  readonly tags: boolean;
  readonly ttl: boolean;
  readonly generateAdminApi: boolean;
  /** One more than there are migrations. Rows of another revision are migrated before this one serves. */
  readonly revision: number;
}

export interface PluginManifest {
  readonly name: string;
  /** Further names under which the Admin API accepts it. Answers show `name`. */
  readonly aliases: readonly string[];
  readonly version: string;
  /** Higher runs first. */
  readonly priority: number;
  readonly phases: readonly PhaseName[];
  readonly scopes: readonly PluginScope[];
  readonly protocols: readonly string[];
  /** Undefined: those of HTTP among `protocols`. */
  readonly defaultProtocols?: readonly string[];
  readonly schema: RecordField;
  readonly capabilities: Capabilities;
  readonly metrics: Readonly<Record<string, MetricDeclaration>>;
  /** `summary`: log records carry neither request, credential nor answer, which makes them cheap to hand over. */
  readonly logRecord: 'summary' | 'full';
  /** Member of the configuration without which the response phase does nothing; '' when it always does something. */
  readonly responseNeeds: string;
  /** Absent: none. */
  readonly entities?: readonly EntityManifest[];
  /** Whose bodies it may transform as they pass. Absent: nobody's. */
  readonly transforms?: readonly BodyDirection[];
  /** What it does that belongs to no request. Absent: nothing. */
  readonly background?: BackgroundManifest;
}

export interface BackgroundManifest {
  /** It takes batches of what its instances have queued. */
  readonly takesBatches: boolean;
  /** It wants to hear of changes to the configurations of its instances. */
  readonly configures: boolean;
  /** Intervals of its timers in ms, by position. */
  readonly timers: readonly number[];
}

export interface PackageManifest {
  readonly protocolVersion: number;
  /** Of the SDK it is bundled with; 1 where it does not say. */
  readonly apiLevel?: number;
  readonly plugins: readonly PluginManifest[];
}

export type { FieldDefinition };
