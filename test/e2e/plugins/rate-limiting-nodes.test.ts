/** What nodes that limit together let through, counted: docs/rate-limiting.md says how much it may be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { countStatus, floodNodes, type LimitedNodes, startLimitedNodes } from './limited-nodes.ts';

const WORKERS = 2;

for (const count of [1, 2, 3]) {
  describe(`${count} node${count > 1 ? 's' : ''} with two workers each`, () => {
    let limited: LimitedNodes;
    let redis: TestRedis;
    beforeAll(async () => {
      redis = openTestRedis();
      limited = await startLimitedNodes(count);
    });
    afterAll(async () => {
      redis?.close();
      await limited?.stop();
    });

    it.each(['redis', 'cluster'])('admit exactly the limit with the policy %s', async (policy) => {
      const { host } = await limited.limit({
        year: 100,
        policy,
        redis: redis.settings,
        fault_tolerant: false,
      });
      const answers = await floodNodes(limited.nodes, host, 150);
      expect([countStatus(answers, 200), countStatus(answers, 429)]).toEqual([100, 150 * count - 100]);
      // And nobody is told twice that the same one is left.
      const left = answers
        .filter(({ status }) => status === 200)
        .map((answer) => Number(answer.header('x-ratelimit-remaining-year')));
      expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at));
    });

    it.each(['redis', 'cluster'])(
      'admit exactly what two windows allow with the policy %s',
      async (policy) => {
        const config = { month: 60, year: 90, policy, redis: redis.settings, fault_tolerant: false };
        const { host, serviceId } = await limited.limit(config);
        expect(countStatus(await floodNodes(limited.nodes, host, 100), 200)).toBe(60);
        const first = limited.nodes[0] as LimitedNodes['nodes'][number];
        const { data } = await first.write('GET', `/services/${serviceId}/plugins`);
        expect(data).toHaveLength(1);
        const { headers } = await first.send(host);
        const [, left] = headers.find(([name]) => name === 'x-ratelimit-remaining-year') ?? [];
        // Refused requests count in Redis, and nowhere else.
        expect(Number(left)).toBe(policy === 'redis' ? Math.max(0, 90 - 100 * count) : 30);
      },
    );

    it('admit at most the documented number with a sync_rate', async () => {
      const config = {
        year: 40,
        policy: 'redis',
        redis: redis.settings,
        sync_rate: 0.1,
        fault_tolerant: false,
      };
      const { host } = await limited.limit(config);
      let admitted = 0;
      for (let round = 0; round < 4; round++) {
        admitted += countStatus(await floodNodes(limited.nodes, host, 60), 200);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      expect(admitted).toBeGreaterThanOrEqual(40);
      expect(admitted).toBeLessThanOrEqual(count * WORKERS * (40 + 1));
      // What was admitted has been written down, and refusals have not.
      expect(countStatus(await floodNodes(limited.nodes, host, 10), 200)).toBeLessThanOrEqual(
        count * WORKERS,
      );
    });

    it('admit the limit each with the policy local', async () => {
      const { host } = await limited.limit({ year: 40, policy: 'local' });
      expect(countStatus(await floodNodes(limited.nodes, host, 80), 200)).toBe(40 * count);
    });
  });
}
