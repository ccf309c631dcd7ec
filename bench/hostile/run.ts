/**
 * What twenty hostile packages do to the traffic of others: p99 of well-behaved requests in quiet and beside each of them,
 * in the same minute on the same gateway, and how many failed.
 * Run: node bench/hostile/run.ts [milliseconds of each measurement, default 3000] [names of some, with commas]
 */
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { packPlugin } from '../../test/support/pack-plugin.ts';
import {
  createDatabase,
  quantile,
  type StartedGateway,
  startGateway,
  write,
} from '../gateway-on-postgres.ts';
import { listProcessTree, readResidentBytes } from '../process-usage.ts';
import { HOSTILE_PLUGINS, type HostilePlugin } from './hostile-plugins.ts';

const MEASURED_MS = Number(process.argv[2] ?? 3000);
const NAMES = process.argv[3]?.split(',');
const PLUGINS = HOSTILE_PLUGINS.filter(({ name }) => NAMES?.includes(name) ?? true);
const BYSTANDERS = 4;
const ATTACKERS = 2;
/** Between two requests of one bystander: how long they take is measured, not how many fit. */
const PAUSE_MS = 4;
const HOST = 'good.bench';

const agent = new Agent({ keepAlive: true });
/** Of attackers: what becomes of their connections is nobody else's. */
const attackAgent = new Agent({ keepAlive: true });

interface Watched {
  readonly latenciesMs: readonly number[];
  readonly failures: number;
}

function ask(port: number, host: string, from: Agent, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<number>((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, agent: from, headers: { Host: host, ...headers } },
      (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.once('error', () => resolve(0)).end();
  });
}

async function watch(port: number, forMs: number): Promise<Watched> {
  const untilMs = performance.now() + forMs;
  const latenciesMs: number[] = [];
  let failures = 0;
  const run = async () => {
    while (performance.now() < untilMs) {
      const before = performance.now();
      const status = await ask(port, HOST, agent);
      latenciesMs.push(performance.now() - before);
      if (status !== 200) failures++;
      await delay(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: BYSTANDERS }, run));
  return { latenciesMs, failures };
}

async function attack(port: number, host: string, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  const run = async () => {
    while (performance.now() < untilMs) {
      await ask(port, host, attackAgent, { 'x-evil': '1' });
      await delay(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: ATTACKERS }, run));
}

async function expose(gateway: StartedGateway, service: string, host: string, plugins: readonly object[]) {
  const route = await write(gateway, 'POST', `/services/${service}/routes`, { hosts: [host] });
  for (const plugin of plugins) await write(gateway, 'POST', `/routes/${route['id']}/plugins`, plugin);
}

async function tryPlugin(gateway: StartedGateway, { name, definition }: HostilePlugin): Promise<boolean> {
  const { proxyPort } = gateway;
  await write(gateway, 'POST', '/plugin-packages', await packPlugin({ name, definition }));
  await expose(gateway, 'upstream', `${name}.bench`, [{ name }]);
  const quiet = await watch(proxyPort, MEASURED_MS);
  const [beside] = await Promise.all([
    watch(proxyPort, MEASURED_MS),
    attack(proxyPort, `${name}.bench`, MEASURED_MS),
  ]);
  const [quietMs, besideMs] = [quantile(quiet.latenciesMs, 0.99), quantile(beside.latenciesMs, 0.99)];
  const ratio = (besideMs / quietMs).toFixed(2);
  const failures = quiet.failures + beside.failures;
  console.log(
    `${name.padEnd(20)} quiet p99 ${quietMs.toFixed(2)} ms, beside ${besideMs.toFixed(2)} ms (${ratio} x), ${failures} of ${beside.latenciesMs.length} failed`,
  );
  return failures === 0;
}

const upstream = createServer((_, response) => response.end('answer')).listen(0, '127.0.0.1');
const database = await createDatabase();
const gateway = await startGateway(database.url);
let isClean = true;
try {
  const { port } = upstream.address() as AddressInfo;
  await write(gateway, 'POST', '/services', { name: 'upstream', url: `http://127.0.0.1:${port}` });
  const good = await packPlugin({
    name: 'good',
    definition: `access(kong) { kong.response.setHeader('x-good', 'yes'); }`,
  });
  await write(gateway, 'POST', '/plugin-packages', good);
  const limit = { name: 'rate-limiting', config: { minute: 1_000_000 } };
  await expose(gateway, 'upstream', HOST, [{ name: 'good' }, limit]);
  await watch(gateway.proxyPort, MEASURED_MS);
  const residentMb = () =>
    listProcessTree(gateway.process.pid).reduce((sum, { pid }) => sum + readResidentBytes(pid), 0) / 2 ** 20;
  console.log(`memory before: ${residentMb().toFixed(0)} MiB`);
  for (const plugin of PLUGINS) isClean = (await tryPlugin(gateway, plugin)) && isClean;
  console.log(`memory after, with ${PLUGINS.length} packages loaded: ${residentMb().toFixed(0)} MiB`);
} finally {
  agent.destroy();
  attackAgent.destroy();
  await gateway.stop();
  await database.drop();
  upstream.close();
}
process.exit(isClean ? 0 : 1);
