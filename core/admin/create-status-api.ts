/** The read-only listener for load balancers and scrapers: `/status`, `/status/ready`, `/metrics` (contract/admin-api.md sections 1.1 and 6). */
import type { FastifyInstance } from 'fastify';
import { answerMessage } from './admin-exchange.ts';
import { createHttpApp, type ErrorLogger } from './create-http-app.ts';
import { metricsEndpoint, statusEndpoint } from './node-endpoints.ts';
import type { NodeInformation } from './node-information.ts';
import { createPathTable } from './path-table.ts';

export interface StatusApiDependencies {
  readonly status: NodeInformation['status'];
  readonly metrics: NodeInformation['metrics'];
  /** Undefined when the node can serve, otherwise the reason why not. */
  ready(): Promise<string | undefined>;
  /** Our own version, for `Server`. */
  readonly version: string;
  readonly logger: ErrorLogger;
}

/** Not listening yet: the caller chooses the address. */
export function createStatusApi(dependencies: StatusApiDependencies): FastifyInstance {
  const readiness = {
    template: '/status/ready',
    methods: {
      GET: async () => {
        const reason = await dependencies.ready();
        return reason === undefined ? answerMessage(200, 'ready') : answerMessage(503, reason);
      },
    },
  };
  const endpoints = [statusEndpoint(dependencies), readiness, metricsEndpoint(dependencies)];
  return createHttpApp(createPathTable(endpoints), {
    serverToken: `tollgate/${dependencies.version}`,
    showsLatency: true,
    guiOrigins: [],
    logger: dependencies.logger,
  });
}
