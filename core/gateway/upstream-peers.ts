/** Addresses of an upstream's targets, as requests of one service are sent to them. */
import { isIPv6 } from 'node:net';
import type { AddressFacts, BalancedAddress } from '../balancing/address.ts';
import type { BalancerRules } from '../balancing/balancer-rules.ts';
import type { UpstreamOrigin } from '../upstream/forward-request.ts';
import type { Peer, UpstreamPlan } from './route-plan.ts';
import { createOrigin } from './upstream-origin.ts';

/** The port is named unless it is the one the protocol means anyway. */
export function hostHeaderOf(protocol: UpstreamOrigin['protocol'], host: string, port: number): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === (protocol === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

interface RememberedPeer extends Peer {
  readonly facts: AddressFacts;
  readonly rules: BalancerRules;
}

/** Peers are made once for an address, and again when it or the upstream has changed. */
export function rememberPeers(origin: UpstreamOrigin): UpstreamPlan['peerAt'] {
  const peers = new WeakMap<BalancedAddress, RememberedPeer>();
  return (address, rules) => {
    const known = peers.get(address);
    if (known !== undefined && known.facts === address.facts && known.rules === rules) return known;
    const peer = { ...makePeer(origin, address.facts, rules), facts: address.facts, rules };
    peers.set(address, peer);
    return peer;
  };
}

/** Source of the name: contract/proxy.md section 4, `Host`. */
function makePeer(origin: UpstreamOrigin, facts: AddressFacts, rules: BalancerRules): Peer {
  const { host, srvName, port } = facts;
  const { protocol } = origin;
  const name = rules.hostHeader ?? (rules.usesSrvName && srvName !== '' ? srvName : host);
  const namesPort = /^(?:[^:]+|\[.*\]):\d+$/.test(name);
  const bare = namesPort ? name.slice(0, name.lastIndexOf(':')) : name;
  return {
    hostHeader: namesPort ? name : hostHeaderOf(protocol, name, port),
    // Services that send the same name to the same target share its connections.
    origin: createOrigin({ ...origin, host: bare, port }),
  };
}
