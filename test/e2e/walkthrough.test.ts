/** What an operator does in the first five minutes, command by command. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrape } from './plugins/metrics-text.ts';
import type { SentAnswer } from './support/send-request.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const DATABASES = {
  'the embedded database': { TOLLGATE_DATABASE: 'embedded' },
  Postgres: {},
} as const;

for (const [database, env] of Object.entries(DATABASES)) {
  for (const workers of [1, 4]) {
    describe(`on ${database} with ${workers} worker(s)`, () =>
      walkThrough({ ...env, TOLLGATE_WORKERS: String(workers) }));
  }
}

function walkThrough(env: Readonly<Record<string, string>>): void {
  let proxy: ProxyUnderTest;
  beforeAll(async () => {
    proxy = await startProxy(env);
  });
  afterAll(() => proxy?.stop());

  const call = (key?: string): Promise<SentAnswer> =>
    proxy.send('127.0.0.1', '/ai/chat', key === undefined ? {} : { headers: { apikey: key } });

  const postForm = async (path: string, form: string): Promise<number> => {
    const response = await fetch(proxy.gateway.adminUrl + path, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    await response.arrayBuffer();
    return response.status;
  };

  /** A consumer with a key and a limit of its own. */
  const enroll = async (username: string, perMinute: number): Promise<void> => {
    await proxy.write('POST', '/consumers', { username });
    await proxy.write('POST', `/consumers/${username}/key-auth`, { key: `${username}-key` });
    const plan = { name: 'rate-limiting', config: { minute: perMinute } };
    await proxy.write('POST', `/consumers/${username}/plugins`, plan);
  };

  /** Runs with another name when the minute turned meanwhile; resolves to the name that saw one minute only. */
  const withinOneMinute = async (name: string, run: (name: string) => Promise<void>): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      const minute = currentMinute();
      const failure = await run(attempt === 0 ? name : `${name}-${attempt}`).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (currentMinute() !== minute) continue;
      if (failure !== undefined) throw failure.error;
      return;
    }
  };

  it('proxies as soon as there is a service and a route', async () => {
    expect(await postForm('/services', `name=ai-service&url=${proxy.upstream.url}`)).toBe(201);
    expect((await call()).status).toBe(404);
    expect(await postForm('/services/ai-service/routes', 'name=ai&paths[]=/ai')).toBe(201);
    const answer = await call();
    expect([answer.status, answer.json<{ url: string }>().url]).toEqual([200, '/chat']);
  });

  it('asks for a key as soon as key-auth is on', async () => {
    expect(await postForm('/services/ai-service/plugins', 'name=key-auth')).toBe(201);
    const answer = await call();
    expect([answer.status, answer.header('www-authenticate')]).toEqual([401, 'Key']);
    expect(answer.json()).toMatchObject({ message: 'No API key found in request' });
  });

  it('limits as soon as rate-limiting is on, and gives each tier its own limit', async () => {
    expect(await postForm('/services/ai-service/plugins', 'name=rate-limiting&config.minute=5')).toBe(201);
    await proxy.write('POST', '/consumers', { username: 'untiered' });
    await proxy.write('POST', '/consumers/untiered/key-auth', { key: 'untiered-key' });
    expect((await call('untiered-key')).header('x-ratelimit-limit-minute')).toBe('5');
    await enroll('pro-user', 100);
    const pro = await call('pro-user-key');
    expect([pro.status, pro.header('x-ratelimit-limit-minute')]).toEqual([200, '100']);
    expect(pro.json<{ headers: [string, string][] }>().headers).toContainEqual([
      'X-Consumer-Username',
      'pro-user',
    ]);
  });

  it('refuses the sixth request of the free tier, counts it, and serves the pro tier on', async () => {
    await proxy.write('POST', '/plugins', {
      name: 'prometheus',
      config: {
        per_consumer: true,
        status_code_metrics: true,
        latency_metrics: true,
        bandwidth_metrics: true,
      },
    });
    await withinOneMinute('free-user', async (username) => {
      await enroll(username, 5);
      const answers: SentAnswer[] = [];
      for (let sent = 0; sent < 6; sent++) answers.push(await call(`${username}-key`));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
      expect(answers.map((answer) => answer.header('x-ratelimit-remaining-minute'))).toEqual([
        '4',
        '3',
        '2',
        '1',
        '0',
        '0',
      ]);
      const refused = answers[5] as SentAnswer;
      expect(refused.json()).toMatchObject({ message: 'API rate limit exceeded' });
      expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(60);
      expect((await call('pro-user-key')).status).toBe(200);
      await expectCounted(username, { 200: 5, 429: 1 });
    });
  });

  it('admits exactly the limit when everybody comes at once', async () => {
    await withinOneMinute('crowd', async (username) => {
      await enroll(username, 25);
      const answers = await Promise.all(Array.from({ length: 40 }, () => call(`${username}-key`)));
      const admitted = answers.filter(({ status }) => status === 200);
      expect(admitted).toHaveLength(25);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
      // Each of them has been told another remainder: nobody was counted twice or not at all.
      const remaining = admitted.map((answer) => Number(answer.header('x-ratelimit-remaining-minute')));
      expect(remaining.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => index));
      await expectCounted(username, { 200: 25, 429: 15 });
    });
  });

  /** Both listeners tell what each consumer was answered. */
  const expectCounted = async (username: string, counts: Readonly<Record<number, number>>): Promise<void> => {
    for (const url of [proxy.gateway.statusUrl, proxy.gateway.adminUrl]) {
      const found = await scrape(url);
      for (const [code, count] of Object.entries(counts)) {
        const source = code === '200' ? 'service' : 'kong';
        const labels = `service="ai-service",route="ai",code="${code}",source="${source}",workspace="default",consumer="${username}"`;
        expect(found.value(`kong_http_requests_total{${labels}}`)).toBe(count);
      }
    }
  };

  it('moves a consumer to another tier at once, with the quota used so far', async () => {
    await withinOneMinute('climber', async (username) => {
      await enroll(username, 2);
      const statuses = async (count: number) => {
        const seen: number[] = [];
        for (let sent = 0; sent < count; sent++) seen.push((await call(`${username}-key`)).status);
        return seen;
      };
      expect(await statuses(3)).toEqual([200, 200, 429]);
      const { data } = await proxy.write('GET', `/consumers/${username}/plugins`);
      await proxy.write('PATCH', `/plugins/${data[0].id}`, { config: { minute: 4 } });
      expect(await statuses(3)).toEqual([200, 200, 429]);
    });
  });

  it('ends with everything taken away again', async () => {
    await proxy.write('DELETE', '/consumers/pro-user');
    expect((await call('pro-user-key')).status).toBe(401);
    const { data } = await proxy.write('GET', '/services/ai-service/plugins');
    for (const { id } of data) await proxy.write('DELETE', `/plugins/${id}`);
    expect((await call()).status).toBe(200);
    await proxy.write('DELETE', '/routes/ai');
    expect((await call()).status).toBe(404);
    await proxy.write('DELETE', '/services/ai-service');
    expect(proxy.gateway.output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });
}

function currentMinute(): number {
  return Math.floor(Date.now() / 60_000);
}
