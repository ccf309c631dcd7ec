/**
 * Everything the data plane needs to route and to run plugins, at one version: plain rows, immutable, small enough
 * to be sent whole. Consumers and credentials are not in it: they may be millions, and are looked up when asked for.
 */
import type { HealthySettings, UnhealthySettings } from '../balancing/balancer-rules.ts';
import type { EntityRow } from '../entities/define-entity.ts';

export interface ServiceRow extends EntityRow {
  readonly name: string | null;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  readonly retries: number | null;
  readonly connect_timeout: number | null;
  readonly write_timeout: number | null;
  readonly read_timeout: number | null;
  readonly tls_verify: boolean | null;
  readonly tls_verify_depth: number | null;
  readonly ca_certificates: readonly string[] | null;
  readonly client_certificate: { readonly id: string } | null;
  readonly enabled: boolean;
}

export interface RouteRow extends EntityRow {
  readonly name: string | null;
  readonly created_at: number;
  readonly protocols: readonly string[];
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly snis: readonly string[] | null;
  readonly regex_priority: number | null;
  readonly strip_path: boolean;
  readonly path_handling: string | null;
  readonly preserve_host: boolean;
  readonly https_redirect_status_code: number;
  readonly request_buffering: boolean;
  readonly response_buffering: boolean;
  readonly service: { readonly id: string } | null;
}

export interface PluginRow extends EntityRow {
  readonly name: string;
  readonly enabled: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly route: { readonly id: string } | null;
  readonly service: { readonly id: string } | null;
  readonly consumer: { readonly id: string } | null;
}

export interface UpstreamRow extends EntityRow {
  readonly name: string;
  readonly algorithm: string | null;
  readonly hash_on: string | null;
  readonly hash_fallback: string | null;
  readonly hash_on_header: string | null;
  readonly hash_fallback_header: string | null;
  readonly hash_on_cookie: string | null;
  readonly hash_on_cookie_path: string | null;
  readonly hash_on_query_arg: string | null;
  readonly hash_fallback_query_arg: string | null;
  readonly hash_on_uri_capture: string | null;
  readonly hash_fallback_uri_capture: string | null;
  readonly slots: number | null;
  readonly healthchecks: HealthcheckRecord;
  readonly host_header: string | null;
  readonly client_certificate: { readonly id: string } | null;
  readonly use_srv_name: boolean | null;
}

/** `healthchecks` of an upstream. */
export interface HealthcheckRecord {
  readonly threshold: number | null;
  readonly active: ActiveCheckRecord;
  readonly passive: PassiveCheckRecord;
}

export interface ActiveCheckRecord {
  readonly type: string | null;
  readonly timeout: number | null;
  readonly concurrency: number | null;
  readonly http_path: string | null;
  readonly https_sni: string | null;
  readonly https_verify_certificate: boolean;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly healthy: HealthySettings & { readonly interval: number | null };
  readonly unhealthy: UnhealthySettings & { readonly interval: number | null };
}

export interface PassiveCheckRecord {
  readonly type: string | null;
  readonly healthy: HealthySettings;
  readonly unhealthy: UnhealthySettings;
}

export interface TargetRow extends EntityRow {
  readonly upstream: { readonly id: string };
  /** `host:port`. */
  readonly target: string;
  readonly weight: number | null;
  readonly created_at: number;
}

export interface CertificateRow extends EntityRow {
  /** PEM, or a reference to a secret; chains are in one text. */
  readonly cert: string;
  readonly key: string;
  readonly cert_alt: string | null;
  readonly key_alt: string | null;
}

export interface SniRow extends EntityRow {
  readonly name: string;
  readonly certificate: { readonly id: string };
}

export interface CaCertificateRow extends EntityRow {
  /** PEM. */
  readonly cert: string;
}

/** Rows a snapshot holds, by entity. */
export interface SnapshotRows {
  readonly services: ServiceRow;
  readonly routes: RouteRow;
  readonly plugins: PluginRow;
  readonly upstreams: UpstreamRow;
  readonly targets: TargetRow;
  readonly certificates: CertificateRow;
  readonly snis: SniRow;
  readonly ca_certificates: CaCertificateRow;
}

export type SnapshotEntity = keyof SnapshotRows;

export const SNAPSHOT_ENTITIES = [
  'services',
  'routes',
  'plugins',
  'upstreams',
  'targets',
  'certificates',
  'snis',
  'ca_certificates',
] as const satisfies readonly SnapshotEntity[];

export type SnapshotLists = { readonly [Entity in SnapshotEntity]: readonly SnapshotRows[Entity][] };

/** An object with what `make` makes of each entity. */
export function forEachEntity<Values extends Readonly<Record<SnapshotEntity, unknown>>>(
  make: (entity: SnapshotEntity) => Values[SnapshotEntity],
): Values {
  return Object.fromEntries(SNAPSHOT_ENTITIES.map((entity) => [entity, make(entity)])) as Values;
}

export interface Snapshot extends SnapshotLists {
  /** Grows with every configuration this node has served. */
  readonly version: number;
  /** The last change it contains, as numbered in the database: the same number means the same rows on every node. */
  readonly sequence: number;
}

export const EMPTY_SNAPSHOT: Snapshot = {
  version: 0,
  sequence: 0,
  services: [],
  routes: [],
  plugins: [],
  upstreams: [],
  targets: [],
  certificates: [],
  snis: [],
  ca_certificates: [],
};
