/** `kong.node`: told with each configuration, and the same for all of them. */
import type { NodeReader } from '../node.ts';
import type { NodeFacts } from '../protocol/plan.ts';

let known: NodeFacts = { id: '', hostname: '', pid: 0, address: '' };

export function setNodeFacts(facts: NodeFacts | undefined): void {
  if (facts !== undefined) known = facts;
}

export const nodeView: NodeReader = Object.freeze({
  getId: () => known.id,
  getHostname: () => known.hostname,
  getPid: () => known.pid,
  getAddress: () => known.address,
});
