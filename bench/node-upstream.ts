/** Stands in for the nginx upstream where there is no nginx. Arguments: address, port. */
import { createServer } from 'node:http';
import { UPSTREAM_ANSWER } from './scenario.ts';

const [address, port] = process.argv.slice(2);
const headers = {
  'Content-Type': 'application/json',
  'Content-Length': String(Buffer.byteLength(UPSTREAM_ANSWER)),
};

const server = createServer((_request, response) => {
  response.writeHead(200, headers).end(UPSTREAM_ANSWER);
});
server.keepAliveTimeout = 600_000;
server.listen(Number(port), address);
