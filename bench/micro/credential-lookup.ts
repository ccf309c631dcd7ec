/**
 * What a million consumers with a key each cost a node: memory of its two processes, and a lookup that goes to the
 * database (cold), to the control process, or nowhere (warm). A request that looks up two rows, the key's and the
 * consumer's, is compared with one to a route without plugins over the same connections.
 * Run: node bench/micro/credential-lookup.ts [number of consumers, default 1000000]
 */
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createDatabase,
  execute,
  quantile,
  type StartedGateway,
  startGateway,
  write,
} from '../gateway-on-postgres.ts';
import { listProcessTree, readResidentBytes } from '../process-usage.ts';

const CONSUMERS = Number(process.argv[2] ?? 1_000_000);
const BATCH = 50_000;
/** Settings of the gateway that bound what it holds, at their defaults. */
const CONTROL_ROWS = 50_000;
const WORKER_ENTRIES = 10_000;
/** Several times as many as the bounds. */
const BEYOND = 100_000;
const CONNECTIONS = 16;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** A fill that triggers see row by row, as any import; numbers spread over the whole table. */
async function fill(url: string): Promise<void> {
  for (let first = 1; first <= CONSUMERS; first += BATCH) {
    const last = Math.min(first + BATCH - 1, CONSUMERS);
    await execute(
      url,
      `insert into consumers (id, created_at, username)
        select md5('consumer' || n)::uuid, 1700000000, 'user-' || n from generate_series(${first}, ${last}) as n`,
      `insert into keyauth_credentials (id, created_at, consumer_id, key)
        select md5('credential' || n)::uuid, 1700000000, md5('consumer' || n)::uuid, 'key-' || n
        from generate_series(${first}, ${last}) as n`,
    );
  }
  await execute(url, 'analyze');
}

function ask(port: number, host: string, apikey: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent, headers: { Host: host, apikey } }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject).end();
  });
}

/** Milliseconds of each request, several at a time. Throws unless all are answered with this status. */
async function measure(
  port: number,
  host: string,
  keys: readonly string[],
  expected = 200,
): Promise<readonly number[]> {
  const tookMs: number[] = [];
  let next = 0;
  const run = async () => {
    while (next < keys.length) {
      const startedAtMs = performance.now();
      const status = await ask(port, host, keys[next++] ?? '');
      if (status !== expected) throw new Error(`answered with ${status}`);
      tookMs.push(performance.now() - startedAtMs);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
  return tookMs;
}

function keysOf(first: number, count: number): readonly string[] {
  // A prime step visits the table in no order of its pages.
  return Array.from({ length: count }, (_, at) => `key-${1 + (((first + at) * 7919) % CONSUMERS)}`);
}

function report(name: string, tookMs: readonly number[]): void {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(tookMs, share).toFixed(2));
  console.log(
    `${name.padEnd(52)} ${String(tookMs.length).padStart(7)} requests   p50 ${p50} ms   p99 ${p99} ms`,
  );
}

function reportMemory(name: string, gateway: StartedGateway): void {
  const [control = 0, ...others] = listProcessTree(gateway.process.pid).map(({ pid }) =>
    readResidentBytes(pid),
  );
  const dataPlane = others.reduce((sum, bytes) => sum + bytes, 0);
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(`${name.padEnd(52)} control ${mebibytes(control)}   data plane ${mebibytes(dataPlane)}`);
}

const upstream = createServer((_, response) => response.end('ok'));
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const { port } = upstream.address() as AddressInfo;
const database = await createDatabase();
let gateway: StartedGateway | undefined;
try {
  gateway = await startGateway(database.url);
  const service = { host: '127.0.0.1', port };
  const open = await write(gateway, 'POST', '/services', service);
  await write(gateway, 'POST', `/services/${open['id']}/routes`, { hosts: ['open.test'] });
  const keyed = await write(gateway, 'POST', '/services', service);
  await write(gateway, 'POST', `/services/${keyed['id']}/routes`, { hosts: ['keyed.test'] });
  await write(gateway, 'POST', `/services/${keyed['id']}/plugins`, { name: 'key-auth' });
  reportMemory('empty database', gateway);
  await gateway.stop();

  const fillStartedAtMs = performance.now();
  await fill(database.url);
  console.log(
    `${CONSUMERS} consumers and keys written in ${((performance.now() - fillStartedAtMs) / 1000).toFixed(0)} s`,
  );

  const startedAtMs = performance.now();
  gateway = await startGateway(database.url);
  console.log(`the node serves after ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  reportMemory('started', gateway);
  const ports = gateway.proxyPort;
  report('no plugin', await measure(ports, 'open.test', keysOf(0, 5_000)));
  report('no plugin, again', await measure(ports, 'open.test', keysOf(0, 20_000)));
  reportMemory('after that', gateway);
  const cold = keysOf(0, CONTROL_ROWS / 2 - 1_000);
  report('key and consumer from the database', await measure(ports, 'keyed.test', cold));
  reportMemory('after that', gateway);
  report('key and consumer from the control process', await measure(ports, 'keyed.test', cold));
  const warm = cold.slice(-WORKER_ENTRIES / 8);
  await measure(ports, 'keyed.test', warm);
  const often = Array.from({ length: 20_000 }, (_, at) => warm[at % warm.length] ?? '');
  report('key and consumer known to the worker', await measure(ports, 'keyed.test', often));
  report(
    'no such key, each another',
    await measure(
      ports,
      'keyed.test',
      keysOf(0, 20_000).map((key) => `no-${key}`),
      401,
    ),
  );
  reportMemory('after that', gateway);
  for (const round of [0, 1, 2]) {
    const others = keysOf(cold.length + round * BEYOND, BEYOND);
    report('keys beyond all bounds', await measure(ports, 'keyed.test', others));
    reportMemory('after that', gateway);
  }
} finally {
  await gateway?.stop();
  await database.drop();
  upstream.close();
  agent.destroy();
}
