/** Which route and service a request took, for the client that asks: contract/proxy.md section 5. */
import { findHeader } from './find-header.ts';
import type { RequestFlow } from './request-flow.ts';

/** Flat; empty unless the setting `allow_debug_header` is on and the request has `Kong-Debug`. */
export function listDebugHeaders({ exchange, gateway, plan }: RequestFlow): readonly string[] {
  if (!gateway.policy.isDebugHeaderAllowed || findHeader(exchange.headers, 'kong-debug') === undefined) {
    return NO_HEADERS;
  }
  return [...describe('Route', plan.route), ...describe('Service', plan.service)];
}

const NO_HEADERS: readonly string[] = [];

function describe(kind: string, row: { readonly id: string; readonly name: string | null } | null): string[] {
  if (row === null) return [];
  const id = [`Kong-${kind}-Id`, row.id];
  // Names may hold any text, header values only bytes.
  return row.name === null ? id : [...id, `Kong-${kind}-Name`, Buffer.from(row.name).toString('latin1')];
}
