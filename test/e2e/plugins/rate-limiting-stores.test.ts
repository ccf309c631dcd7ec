/** The policies redis and cluster on one node: what they write, when, and what they answer. */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { openTestRedis, type TestRedis } from '../../support/test-redis.ts';
import type { RequestOptions } from '../support/send-request.ts';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
/** An embedded database takes its time the first time. */
const START_TIMEOUT_MS = 60_000;
const THIS_YEAR = Date.UTC(new Date().getUTCFullYear(), 0, 1);

let proxy: ProxyUnderTest;
let redis: TestRedis;
let database: TestDatabase;
let sql: Client;

beforeAll(async () => {
  redis = openTestRedis();
  database = await createTestDatabase();
  proxy = await startProxy({ DATABASE_URL: database.url });
  sql = new Client({ connectionString: database.url });
  sql.on('error', () => {});
  await sql.connect();
});
afterAll(async () => {
  redis?.close();
  await sql?.end();
  await proxy?.stop();
  await database?.drop();
});

async function limited(config: Readonly<Record<string, unknown>>) {
  const exposed = await proxy.expose();
  await proxy.write('POST', `/services/${exposed.serviceId}/plugins`, { name: 'rate-limiting', config });
  return exposed;
}

async function statuses(host: string, count: number, options?: RequestOptions): Promise<number[]> {
  const seen: number[] = [];
  for (let sent = 0; sent < count; sent++) seen.push((await proxy.send(host, '/', options)).status);
  return seen;
}

const keysOf = (serviceId: string) => redis.client.keys(`*${serviceId}*`);

describe('the policy redis', () => {
  it('keeps one key for each window, named as in Kong, for as long as the window lasts', async () => {
    const { host, serviceId } = await limited({ day: 5, year: 9, policy: 'redis', redis: redis.settings });
    expect(await statuses(host, 2)).toEqual([200, 200]);
    const dayStartMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    const [day, year] = [
      `ratelimit:${NIL}:${serviceId}:127.0.0.1:${dayStartMs}:day`,
      `ratelimit:${NIL}:${serviceId}:127.0.0.1:${THIS_YEAR}:year`,
    ];
    expect(new Set(await keysOf(serviceId))).toEqual(new Set([day, year]));
    expect(await redis.client.mget(day, year)).toEqual(['2', '2']);
    for (const [key, seconds] of [
      [day, 86_400],
      [year, 31_536_000],
    ] as const) {
      const ttl = await redis.client.ttl(key);
      expect(ttl).toBeLessThanOrEqual(seconds);
      expect(ttl).toBeGreaterThan(seconds - 60);
    }
  });

  it('counts refused requests in every window', async () => {
    const { host, serviceId } = await limited({ month: 1, year: 10, policy: 'redis', redis: redis.settings });
    expect(await statuses(host, 4)).toEqual([200, 429, 429, 429]);
    const keys = await keysOf(serviceId);
    expect(new Set(keys.map((key) => key.split(':').at(-1)))).toEqual(new Set(['month', 'year']));
    expect(await redis.client.mget(keys)).toEqual(['4', '4']);
    // What is shown of the window that did not refuse is what remains of it.
    const answer = await proxy.send(host);
    expect(answer.header('x-ratelimit-remaining-month')).toBe('0');
    expect(answer.header('x-ratelimit-remaining-year')).toBe('6');
    expect(answer.header('retry-after')).toBe(answer.header('ratelimit-reset'));
  });

  it('works under the old names of its settings', async () => {
    const { host, serviceId } = await limited({
      year: 1,
      policy: 'redis',
      redis_host: redis.host,
      redis_port: redis.port,
      redis_database: 0,
    });
    expect(await statuses(host, 2)).toEqual([200, 429]);
    expect(await keysOf(serviceId)).toHaveLength(1);
  });

  it('counts in the database that is named', async () => {
    const settings = { ...redis.settings, database: 5 };
    const { host, serviceId } = await limited({ year: 1, policy: 'redis', redis: settings });
    expect(await statuses(host, 2)).toEqual([200, 429]);
    expect(await keysOf(serviceId)).toEqual([]);
  });

  it('lets the first request of an interval pass unseen with a sync_rate, and none after it is written down', async () => {
    const config = { year: 4, policy: 'redis', redis: redis.settings, sync_rate: 1 };
    const { host, serviceId } = await limited(config);
    const answers = await Promise.all(Array.from({ length: 8 }, () => proxy.send(host)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    const [key = ''] = await keysOf(serviceId);
    await pollUntil(
      'the key',
      () => redis.client.get(key),
      (value) => value === '5',
    );
    expect(await statuses(host, 3)).toEqual([429, 429, 429]);
  });

  it('writes down what it remembers when the node stops', async () => {
    const own = await startProxy();
    const { host, serviceId } = await own.expose();
    const config = { year: 100, policy: 'redis', redis: redis.settings, sync_rate: 1000 };
    await own.write('POST', `/services/${serviceId}/plugins`, { name: 'rate-limiting', config });
    for (let sent = 0; sent < 7; sent++) expect((await own.send(host)).status).toBe(200);
    const [key = ''] = await keysOf(serviceId);
    expect(await redis.client.get(key)).toBe('1');
    await own.stop();
    expect(await redis.client.get(key)).toBe('7');
  });

  it('is 500 where Redis has never been, and passes without a word with fault_tolerant', async () => {
    const nowhere = { host: '127.0.0.1', port: 1, password: 'hidden-word' };
    const strict = await limited({ year: 1, policy: 'redis', redis: nowhere, fault_tolerant: false });
    const answer = await proxy.send(strict.host);
    expect([answer.status, answer.text]).toEqual([500, '{"message":"An unexpected error occurred"}']);
    const tolerant = await limited({ year: 1, policy: 'redis', redis: nowhere });
    expect(await statuses(tolerant.host, 3)).toEqual([200, 200, 200]);
    const { headers } = await proxy.send(tolerant.host);
    expect(headers.filter(([name]) => /ratelimit|retry/.test(name))).toEqual([]);
    expect(proxy.gateway.output()).toContain('127.0.0.1:1');
    expect(proxy.gateway.output()).not.toContain('hidden-word');
  });

  it('is no concern of the policy local beside it', async () => {
    const { host, serviceId } = await limited({ year: 1, redis: redis.settings });
    expect(await statuses(host, 2)).toEqual([200, 429]);
    expect(await keysOf(serviceId)).toEqual([]);
  });
});

describe('a node with REDIS_URL', () => {
  it('counts there for plugins that name no Redis, and asks for none', async () => {
    const own = await startProxy({ REDIS_URL: `redis://${redis.host}:${redis.port}/6` });
    try {
      const { host, serviceId } = await own.expose();
      const config = { year: 2, policy: 'redis', fault_tolerant: false };
      const made = await own.write('POST', `/services/${serviceId}/plugins`, {
        name: 'rate-limiting',
        config,
      });
      expect(made.config.redis.host).toBeNull();
      const seen: number[] = [];
      for (let sent = 0; sent < 3; sent++) seen.push((await own.send(host)).status);
      expect(seen).toEqual([200, 200, 429]);
      await redis.client.select(6);
      expect(await keysOf(serviceId)).toHaveLength(1);
    } finally {
      await redis.client.select(0);
      await own.stop();
    }
  });
});

describe('the policy cluster', () => {
  it('keeps a row for each window in the table of the contract, and does not count refused requests', async () => {
    const { host, serviceId, routeId } = await proxy.expose();
    const config = { month: 2, year: 5, policy: 'cluster', limit_by: 'header', header_name: 'X-Tenant' };
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'rate-limiting', config });
    const tenant = { headers: { 'X-Tenant': 'a:b' } };
    expect(await statuses(host, 4, tenant)).toEqual([200, 200, 429, 429]);
    const { rows } = await sql.query(
      `select identifier, period, extract(epoch from period_date)::float8 * 1000 as start_ms, service_id, route_id,
        value::int, extract(epoch from ttl - now())::float8 as lives from ratelimiting_metrics
        where route_id = $1 order by period`,
      [routeId],
    );
    expect(rows).toMatchObject([
      { identifier: 'a:b', period: 'month', service_id: NIL, route_id: routeId, value: 2 },
      {
        identifier: 'a:b',
        period: 'year',
        service_id: NIL,
        route_id: routeId,
        value: 2,
        start_ms: THIS_YEAR,
      },
    ]);
    expect(Math.abs(rows[0].lives - 2_592_000)).toBeLessThan(60);
    expect(serviceId).not.toBe(NIL);
  });

  it('answers as the other policies do', async () => {
    const { host } = await limited({ year: 2, policy: 'cluster' });
    const remaining: (string | undefined)[] = [];
    for (let sent = 0; sent < 3; sent++) {
      remaining.push((await proxy.send(host)).header('x-ratelimit-remaining-year'));
    }
    expect(remaining).toEqual(['1', '0', '0']);
    const answer = await proxy.send(host);
    expect([answer.status, answer.header('retry-after')]).toEqual([429, answer.header('ratelimit-reset')]);
  });

  it(
    'is exact on the embedded database too',
    async () => {
      const own = await startProxy({ TOLLGATE_DATABASE: 'embedded' });
      try {
        const { host, serviceId } = await own.expose();
        const config = { year: 25, policy: 'cluster', fault_tolerant: false };
        await own.write('POST', `/services/${serviceId}/plugins`, { name: 'rate-limiting', config });
        const answers = await Promise.all(Array.from({ length: 40 }, () => own.send(host)));
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(25);
        expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
      } finally {
        await own.stop();
      }
    },
    START_TIMEOUT_MS,
  );

  it('takes any header for an identifier', async () => {
    const { host } = await limited({
      year: 1,
      policy: 'cluster',
      limit_by: 'header',
      header_name: 'X-Tenant',
    });
    const long = 'x'.repeat(5000);
    for (const value of [randomUUID(), 'é\\u0000', "'; drop table services; --", long, `${long}y`, ':::']) {
      const options = { headers: { 'X-Tenant': Buffer.from(value).toString('latin1') } };
      expect(await statuses(host, 2, options)).toEqual([200, 429]);
    }
  });
});
