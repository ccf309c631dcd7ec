/** What plugins hear of the node they run on. */
import { hostname, networkInterfaces } from 'node:os';
import type { NodeFacts } from '../../sdk/protocol/plan.ts';

const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);

/** `listensOn`: addresses of the proxy's listeners. */
export function describeNodeToPlugins(
  id: string,
  listensOn: readonly string[],
  trustedIps: readonly string[],
): NodeFacts {
  const address = listensOn.find((each) => !EVERY_ADDRESS.has(each)) ?? findOwnAddress();
  return { id, hostname: hostname(), pid: process.pid, address, trustedIps };
}

/** The first IPv4 address that others could know the machine by. */
function findOwnAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outward = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return outward?.address ?? '127.0.0.1';
}
