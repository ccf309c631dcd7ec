/** Stands in for the nginx upstream where there is no nginx. Arguments: address, port. */
import { createServer } from 'node:http';
import { UPSTREAM_ANSWER } from './scenario.ts';

const [address, port] = process.argv.slice(2);
const headers = {
  'Content-Type': 'application/json',
  'Content-Length': String(Buffer.byteLength(UPSTREAM_ANSWER)),
};

let acceptedCount = 0;
let requestCount = 0;

const server = createServer((request, response) => {
  requestCount += 1;
  if (request.url === '/connections') {
    response.end(`server accepts handled requests\n ${acceptedCount} ${acceptedCount} ${requestCount}\n`);
    return;
  }
  response.writeHead(200, headers).end(UPSTREAM_ANSWER);
});
server.on('connection', () => {
  acceptedCount += 1;
});
server.keepAliveTimeout = 600_000;
server.listen(Number(port), address);
