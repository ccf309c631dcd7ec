/**
 * How long three nodes take from the answer to a write on one of them until the other two serve it, for 500 routes
 * written one after the other. Prints milliseconds; what is measured includes the request that finds out.
 * Run: node bench/micro/change-propagation.ts
 */
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createDatabase,
  quantile,
  type StartedGateway,
  startGateway,
  write,
} from '../gateway-on-postgres.ts';

const WRITES = 500;
const NODES = 3;

interface Written {
  readonly host: string;
  readonly answeredAtMs: number;
}

const agent = new Agent({ keepAlive: true });

function ask(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent, headers: { Host: host } }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject).end();
  });
}

/** Writes are served in their order, so it is enough to wait for the oldest that is not served yet. */
async function follow(node: StartedGateway, written: readonly Written[]): Promise<readonly number[]> {
  const delaysMs: number[] = [];
  while (delaysMs.length < WRITES) {
    const next = written[delaysMs.length];
    if (next === undefined || (await ask(node.proxyPort, next.host)) !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    delaysMs.push(performance.now() - next.answeredAtMs);
  }
  return delaysMs;
}

const upstream = createServer((_, response) => response.end('ok'));
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const { port } = upstream.address() as AddressInfo;
const database = await createDatabase();
const nodes: StartedGateway[] = [];
try {
  for (let started = 0; started < NODES; started++) nodes.push(await startGateway(database.url));
  const [first, ...others] = nodes as [StartedGateway, ...StartedGateway[]];
  const { id } = await write(first, 'POST', '/services', { host: '127.0.0.1', port });
  const written: Written[] = [];
  const following = others.map((node) => follow(node, written));
  const answersMs: number[] = [];
  for (let number = 0; number < WRITES; number++) {
    const host = `route-${number}.test`;
    const sentAtMs = performance.now();
    await write(first, 'POST', `/services/${id}/routes`, { hosts: [host] });
    const answeredAtMs = performance.now();
    answersMs.push(answeredAtMs - sentAtMs);
    written.push({ host, answeredAtMs });
  }
  const delaysMs = (await Promise.all(following)).flat();
  for (const [name, values] of [
    ['a write is answered', answersMs],
    ['another node serves it', delaysMs],
  ] as const) {
    const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1));
    console.log(`${name.padEnd(24)} p50 ${p50} ms   p99 ${p99} ms   most ${most} ms`);
  }
} finally {
  for (const node of nodes) await node.stop();
  await database.drop();
  upstream.close();
  agent.destroy();
}
