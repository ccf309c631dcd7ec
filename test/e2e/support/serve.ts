/** An upstream that does what one test wants. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedPort {
  readonly port: number;
  /** Cuts all connections. */
  stop(): Promise<void>;
}

/** Without a `port` a free one is taken. */
export async function serve(listener: RequestListener, port = 0): Promise<ServedPort> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
