/** A server in a process of its own, for tests that kill it: answers every request with the number it was given. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [number = '', port = '0'] = process.argv.slice(2);
const server = createServer((_request, response) => {
  // Requests are to be under way when the process is killed.
  setTimeout(() => response.end(number), 2);
});
server.listen(Number(port), '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
