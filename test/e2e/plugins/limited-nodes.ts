/** One or several nodes that limit requests together, and the counting of what they let through. */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { pollUntil } from '../../support/poll-until.ts';
import { type Cluster, type ClusterNode, startCluster } from '../cluster/cluster.ts';
import { type SentAnswer, sendRequest } from '../support/send-request.ts';

export interface LimitedNodes {
  readonly nodes: readonly ClusterNode[];
  /** Makes a service with a limit and a route to it, and resolves to its host once every worker knows them. */
  limit(
    config: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly host: string; readonly serviceId: string }>;
  stop(): Promise<void>;
}

/** A machine that is busy with other tests is no reason to run a request again, which would count it again. */
const ENVIRONMENT = { TOLLGATE_WORKERS: '2' };

/** Two workers each. */
export async function startLimitedNodes(count: number): Promise<LimitedNodes> {
  const cluster: Cluster = await startCluster();
  const nodes: ClusterNode[] = [];
  try {
    for (let at = 0; at < count; at++) nodes.push(await cluster.startNode(ENVIRONMENT));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  const first = nodes[0] as ClusterNode;
  return {
    nodes,
    async limit(config) {
      const { host, serviceId } = await first.expose();
      await first.write('POST', `/services/${serviceId}/plugins`, { name: 'rate-limiting', config });
      await Promise.all(nodes.map((node) => untilServed(node, first)));
      return { host, serviceId };
    },
    stop: () => cluster.stop(),
  };
}

/**
 * Changes arrive in the order they were made: who knows the last one knows all. It is a route to nothing, so that
 * asking for it counts nowhere; fresh connections reach every worker.
 */
async function untilServed(node: ClusterNode, writer: ClusterNode): Promise<void> {
  const host = `${randomUUID()}.test`;
  await writer.write('POST', '/routes', { hosts: [host] });
  const probe = async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => node.send(host)));
    return answers.map(({ status }) => status);
  };
  await pollUntil('the last change', probe, (statuses) => statuses.every((status) => status === 503));
}

/** Sends `count` requests to each node, `parallel` at a time over as many connections, all nodes at once. */
export async function floodNodes(
  nodes: readonly { readonly port: number }[],
  host: string,
  count: number,
  parallel = 8,
): Promise<readonly SentAnswer[]> {
  const answers: SentAnswer[] = [];
  const floods = nodes.flatMap(({ port }) => {
    let left = count;
    return Array.from({ length: parallel }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (left-- > 0) answers.push(await sendRequest(port, { agent, headers: { Host: host } }));
      agent.destroy();
    });
  });
  await Promise.all(floods);
  return answers;
}

export function countStatus(answers: readonly SentAnswer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}
