/** The kinds of ids: contract/plugins.md section 14. */
import { createUuid, type NodeReader, type RequestReader } from '@tollgate/sdk';

interface GeneratingKong {
  readonly request: Pick<RequestReader, 'getPort'>;
  readonly node: Pick<NodeReader, 'getAddress' | 'getPid'>;
}

export type Generator = (kong: GeneratingKong) => string;

/** One isolate a worker runs this, so module variables are the worker's own. */
const WORKER_UUID = createUuid();
/** In the place of a connection's serial number, which plugins do not see: it tells apart workers of one process. */
const WORKER_SERIAL = Math.floor(Math.random() * 2 ** 31);
let generated = 0;

export const GENERATORS = {
  uuid: () => createUuid(),
  'uuid#counter': () => `${WORKER_UUID}#${++generated}`,
  tracker: ({ request, node }) => {
    const epochSeconds = (Date.now() / 1000).toFixed(3);
    const process = `${node.getAddress()}-${request.getPort()}-${node.getPid()}`;
    return `${process}-${WORKER_SERIAL}-${++generated}-${epochSeconds}`;
  },
} as const satisfies Readonly<Record<string, Generator>>;
