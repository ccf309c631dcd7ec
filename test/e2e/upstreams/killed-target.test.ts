/** A target that dies under load: contract/proxy.md section 7.2. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { exposeUpstream } from './named-servers.ts';

const SERVER = fileURLToPath(new URL('./numbered-server.ts', import.meta.url));
const CLIENTS = 16;

let proxy: ProxyUnderTest;
const servers: ChildProcess[] = [];
beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
});
afterAll(async () => {
  for (const server of servers) server.kill('SIGKILL');
  await proxy.stop();
});

async function startServer(
  number: number,
  port = 0,
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const process = fork(SERVER, [String(number), String(port)]);
  servers.push(process);
  const listening = await new Promise<number>((resolve, reject) => {
    process.once('message', (message) => resolve(Number(message)));
    process.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { process, port: listening };
}

it.each([
  ['round-robin', {}],
  ['least-connections', {}],
  ['latency', {}],
  ['consistent-hashing', { hash_on: 'header', hash_on_header: 'x-client' }],
  ['round-robin', { healthchecks: { passive: { unhealthy: { tcp_failures: 1 } } } }],
])(
  'no request fails when a target is killed, and it is used again when it is back: %s %j',
  async (algorithm, settings) => {
    const one = await startServer(1);
    const two = await startServer(2);
    const targets = [`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`];
    const { name, host } = await exposeUpstream(proxy, targets, { algorithm, ...settings });
    const agent = new Agent({ keepAlive: true });
    const answers: string[] = [];
    const failures: unknown[] = [];
    let isOver = false;
    const client = async (number: number) => {
      for (let request = 0; !isOver; request++) {
        try {
          const headers = { 'x-client': `${number} ${request}` };
          const { status, text } = await proxy.send(host, '/', { agent, headers });
          if (status === 200) answers.push(text);
          else failures.push(`${status} ${text}`);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
    const untilAnswered = (count: number) =>
      pollUntil(
        `answer ${count}`,
        () => answers.length,
        (length) => length >= count || failures.length > 0,
      );

    await untilAnswered(200);
    one.process.kill('SIGKILL');
    await untilAnswered(answers.length + 300);
    const afterDeath = answers.slice(-100);
    await startServer(1, one.port);
    await proxy.admin('PUT', `/upstreams/${name}/targets/${targets[0]}/healthy`);
    const back = answers.length;
    await untilAnswered(back + 300);
    isOver = true;
    await load;
    agent.destroy();

    expect(failures).toEqual([]);
    expect(new Set(answers.slice(0, 200))).toEqual(new Set(['1', '2']));
    expect(new Set(afterDeath)).toEqual(new Set(['2']));
    expect(answers.slice(back)).toContain('1');
  },
);

it('what was tried is in the log when nothing helped', async () => {
  const gone = [await startServer(1), await startServer(2)];
  const targets = gone.map(({ port }) => `127.0.0.1:${port}`);
  const { host } = await exposeUpstream(proxy, targets, {}, { retries: 1 });
  for (const { process } of gone) {
    process.kill('SIGKILL');
    await once(process, 'exit');
  }
  expect((await proxy.send(host)).status).toBe(502);
  const output = await pollUntil(
    'the log',
    () => proxy.gateway.output(),
    (text) => text.includes('; tried '),
  );
  for (const target of targets)
    expect(output).toMatch(new RegExp(`tried .*${target} GW_UPSTREAM_CONNECT_FAILED`));
});
