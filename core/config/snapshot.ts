/**
 * Everything the data plane needs to route and to run plugins, at one version: plain rows, immutable, small enough
 * to be sent whole. Consumers and credentials are not in it: they may be millions, and are looked up when asked for.
 */
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

export interface Snapshot {
  /** Grows with every configuration this node has served. */
  readonly version: number;
  /** The last change it contains, as numbered in the database: the same number means the same rows on every node. */
  readonly sequence: number;
  readonly services: readonly ServiceRow[];
  readonly routes: readonly RouteRow[];
  readonly plugins: readonly PluginRow[];
}

export const EMPTY_SNAPSHOT: Snapshot = { version: 0, sequence: 0, services: [], routes: [], plugins: [] };
