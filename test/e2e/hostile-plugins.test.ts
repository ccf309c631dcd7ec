/** Twenty hostile packages, each under traffic of its own beside that of others, who must not notice. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE_PLUGINS } from '../../bench/hostile/hostile-plugins.ts';
import { packPlugin } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

/** Requests that each hostile package gets, a few at a time. */
const ATTACKS = 8;
const AT_ONCE = 2;

let proxy: ProxyUnderTest;
/** Routes of others: with plugins of ours, and with a well-behaved package. */
let bystanders: readonly string[];

beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '1', TOLLGATE_PLUGIN_DEADLINE_MS: '1500' });
  const good = await packPlugin({
    name: 'good',
    definition: `async access(kong) {
      await kong.counters.take([{ key: 'good', limit: 1e9, expiresAtMs: Date.now() + 60_000 }]);
      kong.response.setHeader('x-good', 'yes');
    }`,
  });
  expect((await proxy.admin('POST', '/plugin-packages', good)).status).toBe(201);
  const ours = await proxy.expose();
  await proxy.write('POST', `/routes/${ours.routeId}/plugins`, {
    name: 'rate-limiting',
    config: { minute: 1_000_000 },
  });
  const theirs = await proxy.expose();
  await proxy.write('POST', `/routes/${theirs.routeId}/plugins`, { name: 'good' });
  bystanders = [ours.host, theirs.host];
}, 120_000);
afterAll(() => proxy?.stop());

async function attack(host: string): Promise<readonly (number | undefined)[]> {
  const statuses: (number | undefined)[] = [];
  const run = async () => {
    for (let time = 0; time < ATTACKS / AT_ONCE; time++) {
      const answer = await proxy.send(host, '/', { headers: { 'x-evil': '1' } }).catch(() => undefined);
      statuses.push(answer?.status);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  return statuses;
}

/** Resolves to the answers that were no 200, once `until` is over. */
async function watch(host: string, until: Promise<unknown>): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  let isOver = false;
  void until.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await proxy.send(host).then(
      ({ status }) => status === 200 || failures.push(status),
      (error: unknown) => failures.push(String(error)),
    );
  }
  return failures;
}

const residentMb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe('a hostile package', () => {
  it.each(HOSTILE_PLUGINS)(
    '$name: is answered for alone',
    async ({ name, definition }) => {
      const { pids } = await proxy.write('GET', '/');
      const published = await proxy.admin('POST', '/plugin-packages', await packPlugin({ name, definition }));
      expect(published.status).toBe(201);
      const { host, routeId } = await proxy.expose();
      const { id } = await proxy.write('POST', `/routes/${routeId}/plugins`, { name });
      const attacking = attack(host);
      const failures = await Promise.all(bystanders.map((bystander) => watch(bystander, attacking)));
      expect(failures).toEqual(bystanders.map(() => []));
      // One that only takes its time, or spoils nothing but its log, may be served; none hangs.
      for (const status of await attacking) expect([200, 500]).toContain(status);
      expect((await proxy.write('GET', '/')).pids).toEqual(pids);
      expect(proxy.gateway.output()).not.toContain('the data plane ended');
      await proxy.write('DELETE', `/plugins/${id}`);
      await proxy.write('DELETE', `/plugin-packages/${name}`);
    },
    60_000,
  );

  it('leaves neither processes nor memory behind', async () => {
    await pollUntil(
      'the processes to go',
      () => proxy.write('GET', '/sandbox'),
      ({ data }) => data.map((each: { package: string }) => each.package).join() === 'bundled,good',
    );
    const { pids } = await proxy.write('GET', '/');
    expect(residentMb(pids.workers[0])).toBeLessThan(600);
  });
});
