/** Several gateways on one Postgres database, behind which one upstream answers. */
import { type Gateway, startGateway } from '../../support/start-gateway.ts';
import { startTcpRelay, type TcpRelay } from '../../support/start-tcp-relay.ts';
import { startUpstream } from '../../support/start-upstream.ts';
import { createTestDatabase } from '../../support/test-database.ts';
import { type ProxyUnderTest, proxyOf } from '../support/start-proxy.ts';

export interface ClusterNode extends ProxyUnderTest {
  /** The way to the database of this node alone. */
  readonly relay: TcpRelay;
  /** Body of the status listener's `/status`. */
  status(): Promise<NodeStatusBody>;
  /** Status code of `/status/ready`. */
  readiness(): Promise<number>;
}

export interface NodeStatusBody {
  readonly database: { readonly reachable: boolean };
  readonly tollgate: {
    readonly configuration_version: number;
    readonly workers: readonly { readonly worker: number; readonly version: number }[];
    readonly database_problem?: string;
  };
}

export interface Cluster {
  readonly databaseUrl: string;
  /** Starts one more node. Its relay may be that of a node before, whose place it takes. */
  startNode(env?: Readonly<Record<string, string>>, relay?: TcpRelay): Promise<ClusterNode>;
  /** Ends all nodes, however they are, and what they used. */
  stop(): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const upstream = await startUpstream();
  const database = await createTestDatabase();
  const gateways: Gateway[] = [];
  const relays: TcpRelay[] = [];
  return {
    databaseUrl: database.url,
    async startNode(env = {}, given) {
      const url = new URL(database.url);
      const relay = given ?? (await startTcpRelay(Number(url.port) || 5432, url.hostname));
      relays.push(relay);
      url.hostname = '127.0.0.1';
      url.port = String(relay.port);
      const gateway = await startGateway({ env: { DATABASE_URL: url.href, ...env } });
      gateways.push(gateway);
      return {
        ...proxyOf(gateway, upstream),
        relay,
        stop: () => gateway.stop(),
        status: async () => (await fetch(`${gateway.statusUrl}/status`)).json() as Promise<NodeStatusBody>,
        readiness: async () => (await fetch(`${gateway.statusUrl}/status/ready`)).status,
      };
    },
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.kill()));
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await Promise.all(relays.map((relay) => relay.stop()));
      await upstream.stop();
      await database.drop();
    },
  };
}
