/** Ports for servers that are started in another process. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which the kernel numbers outgoing connections: a port found free there cannot be taken
 * by a connection of another test before the server binds it.
 */
const FIRST_PORT = 15_000;
const LAST_PORT = 31_000;

/** Given out already: whoever asked may not have bound it yet. */
const given = new Set<number>();

/** A TCP port nothing listens on, on loopback. Never the same one twice. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (given.has(port) || !(await canListen(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('no free port was found in 100 attempts');
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
