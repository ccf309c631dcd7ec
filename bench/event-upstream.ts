/**
 * An upstream of event streams for bench/streams.ts: `/` answers with events that carry the time at which they were
 * written, one every so many milliseconds. Prints its port. Run by the bench: node bench/event-upstream.ts <events> <ms>
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const events = Number(process.argv[2]);
const everyMs = Number(process.argv[3]);

const server = createServer((_, response) => {
  // nginx gathers what it passes on unless it is told not to.
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
  let sent = 0;
  const send = () => {
    response.write(`data: ${performance.timeOrigin + performance.now()}\n\n`);
    if (++sent < events) return;
    clearInterval(timer);
    response.end();
  };
  const timer = setInterval(send, everyMs);
  response.on('close', () => clearInterval(timer));
  send();
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
