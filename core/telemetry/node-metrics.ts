/** The gauges a node shows whether or not a plugin asks for them: contract/plugins.md section 3, those marked L. */
import type { Family } from './render-metrics.ts';

export interface NodeMeasurements {
  readonly nodeId: string;
  readonly version: string;
  readonly isDatabaseReachable: boolean;
  readonly requestsTotal: number;
  readonly connections: {
    readonly accepted: number;
    readonly active: number;
    readonly writing: number;
  };
  readonly workers: readonly { readonly pid: number; readonly heapBytes: number }[];
}

const SUBSYSTEM = 'http';

export function nodeFamilies(node: NodeMeasurements): Family[] {
  const { nodeId, connections } = node;
  const ofNode = { node_id: nodeId, subsystem: SUBSYSTEM };
  const connectionStates = {
    accepted: connections.accepted,
    active: connections.active,
    handled: connections.accepted,
    reading: 0,
    total: node.requestsTotal,
    waiting: Math.max(0, connections.active - connections.writing),
    writing: connections.writing,
  };
  return [
    gauge('kong_datastore_reachable', 'Whether the database answers: 1 or 0', [
      { labels: {}, value: node.isDatabaseReachable ? 1 : 0 },
    ]),
    gauge(
      'kong_memory_workers_lua_vms_bytes',
      'Heap in use by each worker',
      node.workers.map(({ pid, heapBytes }) => ({
        labels: { node_id: nodeId, pid: String(pid), kong_subsystem: SUBSYSTEM },
        value: heapBytes,
      })),
    ),
    gauge(
      'kong_nginx_connections_total',
      'Client connections by state',
      Object.entries(connectionStates).map(([state, value]) => ({ labels: { ...ofNode, state }, value })),
    ),
    gauge('kong_nginx_requests_total', 'Requests received', [{ labels: ofNode, value: node.requestsTotal }]),
    gauge('kong_nginx_timers', 'Timers by state', [
      { labels: { state: 'pending' }, value: 0 },
      { labels: { state: 'running' }, value: 0 },
    ]),
    gauge('kong_node_info', 'The node and its version', [
      { labels: { node_id: nodeId, version: node.version }, value: 1 },
    ]),
  ];
}

function gauge(name: string, help: string, samples: Family['samples']): Family {
  return { name, type: 'gauge', help, samples };
}
