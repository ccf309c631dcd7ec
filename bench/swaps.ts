/**
 * Hot swaps under load: a package is published again and again while its route is asked without a pause. Prints how many
 * requests failed, how long a swap took, and the memory of the data plane on the way.
 * Run: node bench/swaps.ts [number of swaps, default 1000] [process or thread, default process]
 */
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { packPlugin } from '../test/support/pack-plugin.ts';
import { createDatabase, quantile, startGateway, write } from './gateway-on-postgres.ts';
import { listProcessTree, readResidentBytes } from './process-usage.ts';

const SWAPS = Number(process.argv[2] ?? 1000);
const ISOLATION = process.argv[3] ?? 'process';
const CONNECTIONS = 4;
const VERSIONS = 8;
const BYTES_PER_MIB = 2 ** 20;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
let isOver = false;
let asked = 0;
const failures: unknown[] = [];

function ask(port: number): Promise<void> {
  return new Promise((resolve) => {
    const fail = (reason: unknown) => {
      failures.push(reason);
      resolve();
    };
    const sent = request({ host: '127.0.0.1', port, agent, headers: { Host: 'swaps.bench' } }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode !== 200 || answer.headers['x-version'] === undefined) fail(answer.statusCode);
        else resolve();
      });
    });
    sent.once('error', (error) => fail(error.message)).end();
  });
}

async function keepAsking(port: number): Promise<void> {
  while (!isOver) {
    asked++;
    await ask(port);
  }
}

const upstream = createServer((_, response) => response.end('answer')).listen(0, '127.0.0.1');
const artefacts = await Promise.all(
  Array.from({ length: VERSIONS }, (_, at) =>
    packPlugin({
      name: 'swapped',
      version: `1.0.${at}`,
      definition: `access(kong) { kong.response.setHeader('x-version', '1.0.${at}'); }`,
    }),
  ),
);
const database = await createDatabase();
const gateway = await startGateway(database.url);
try {
  const { port } = upstream.address() as AddressInfo;
  const publish = (at: number) =>
    write(gateway, 'POST', `/plugin-packages?isolation=${ISOLATION}`, artefacts[at % VERSIONS]);
  await publish(0);
  await write(gateway, 'POST', '/services', { name: 'upstream', url: `http://127.0.0.1:${port}` });
  const route = await write(gateway, 'POST', '/services/upstream/routes', { hosts: ['swaps.bench'] });
  await write(gateway, 'POST', `/routes/${route['id']}/plugins`, { name: 'swapped' });
  const controlPid = gateway.process.pid;
  const describeMemory = () => {
    const tree = listProcessTree(controlPid);
    const mib = (pid: number) => Math.round(readResidentBytes(pid) / BYTES_PER_MIB);
    const dataPlane = tree.find(({ parentPid }) => parentPid === controlPid);
    return `control ${mib(controlPid)} MiB, data plane ${mib(dataPlane?.pid ?? 0)} MiB, ${tree.length} processes`;
  };
  const load = Promise.all(Array.from({ length: CONNECTIONS }, () => keepAsking(gateway.proxyPort)));
  const tookMs: number[] = [];
  for (let swap = 1; swap <= SWAPS; swap++) {
    const before = performance.now();
    await publish(swap);
    tookMs.push(performance.now() - before);
    if (swap % Math.ceil(SWAPS / 10) === 0) console.log(`${swap} swaps: ${describeMemory()}`);
  }
  isOver = true;
  await load;
  console.log(`${asked} requests, ${failures.length} failed ${JSON.stringify(failures.slice(0, 5))}`);
  console.log(
    `a swap took ${quantile(tookMs, 0.5).toFixed(0)} ms (p50), ${quantile(tookMs, 0.99).toFixed(0)} ms (p99)`,
  );
} finally {
  agent.destroy();
  await gateway.stop();
  await database.drop();
  upstream.close();
}
process.exit(failures.length === 0 ? 0 : 1);
