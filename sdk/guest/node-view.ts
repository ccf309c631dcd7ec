/** `kong.node` and `kong.ip`: told with each configuration, and the same for all of them. */
import { compileIpSet, type IpSet } from '../ip-set.ts';
import type { NodeReader } from '../node.ts';
import type { IpReader } from '../phases.ts';
import type { NodeFacts } from '../protocol/plan.ts';

let known: NodeFacts = { id: '', hostname: '', pid: 0, address: '' };
let trusted: IpSet | undefined;

export function setNodeFacts(facts: NodeFacts | undefined): void {
  if (facts === undefined) return;
  known = facts;
  trusted = undefined;
}

export const nodeView: NodeReader = Object.freeze({
  getId: () => known.id,
  getHostname: () => known.hostname,
  getPid: () => known.pid,
  getAddress: () => known.address,
});

export const ipView: IpReader = Object.freeze({
  isTrusted(address: string): boolean {
    // Peers without an address are trusted by entries of their own.
    trusted ??= compileIpSet((known.trustedIps ?? []).filter((entry) => !entry.startsWith('unix:')));
    return trusted.has(address);
  },
});
