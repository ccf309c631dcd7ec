import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOptions, SentAnswer } from '../support/send-request.ts';
import { type Exposed, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

/** Limits are per year where the length of the window does not matter: it does not roll while a test runs. */
let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2', TOLLGATE_TRUSTED_IPS: '127.0.0.1/32' });
});
afterAll(() => proxy?.stop());

type Config = Record<string, unknown>;

const limitBy = (path: string, config: Config) =>
  proxy.write('POST', path, { name: 'rate-limiting', config });

async function limited(config: Config): Promise<Exposed> {
  const exposed = await proxy.expose();
  await limitBy(`/services/${exposed.serviceId}/plugins`, config);
  return exposed;
}

/** A host that asks for keys and limits. */
async function protectedAndLimited(config: Config): Promise<Exposed> {
  const exposed = await limited(config);
  await proxy.write('POST', `/services/${exposed.serviceId}/plugins`, { name: 'key-auth' });
  return exposed;
}

async function makeConsumer() {
  const { id } = await proxy.write('POST', '/consumers', { username: randomUUID() });
  const { key } = await proxy.write('POST', `/consumers/${id}/key-auth`, {});
  return { id: id as string, options: { headers: { apikey: key as string } } };
}

async function statuses(
  host: string,
  count: number,
  options?: RequestOptions,
  path = '/',
): Promise<number[]> {
  const seen: number[] = [];
  for (let sent = 0; sent < count; sent++) seen.push((await proxy.send(host, path, options)).status);
  return seen;
}

const limitHeaders = ({ headers }: SentAnswer) =>
  Object.fromEntries(headers.filter(([name]) => /ratelimit|retry-after/.test(name)));

/** Runs again when the clock hour turned meanwhile. */
async function withinOneHour<Result>(run: () => Promise<Result>): Promise<Result> {
  for (;;) {
    const hour = Math.floor(Date.now() / 3_600_000);
    const result = await run();
    if (Math.floor(Date.now() / 3_600_000) === hour) return result;
  }
}

describe('the answer', () => {
  it('tells the limit, what remains and when the window ends', async () => {
    const [answer, before, after] = await withinOneHour(async () => {
      const { host } = await limited({ hour: 6 });
      const secondsLeft = () => 3600 - Math.floor((Date.now() % 3_600_000) / 1000);
      const atLatest = secondsLeft();
      return [await proxy.send(host), atLatest, secondsLeft()] as const;
    });
    const { 'ratelimit-reset': reset, ...others } = limitHeaders(answer);
    expect(others).toEqual({
      'x-ratelimit-limit-hour': '6',
      'x-ratelimit-remaining-hour': '5',
      'ratelimit-limit': '6',
      'ratelimit-remaining': '5',
    });
    expect(Number(reset)).toBeLessThanOrEqual(before);
    expect(Number(reset)).toBeGreaterThanOrEqual(after);
  });

  it('is 429 with Retry-After when the limit is used up, and the upstream is not asked', async () => {
    const { host } = await limited({ year: 2 });
    expect(await statuses(host, 2)).toEqual([200, 200]);
    const before = proxy.upstream.requestCount;
    const answer = await proxy.send(host);
    expect(answer.status).toBe(429);
    expect(answer.text).toBe(
      `{\n  "message":"API rate limit exceeded",\n  "request_id":"${answer.header('x-kong-request-id')}"\n}`,
    );
    const headers = limitHeaders(answer);
    expect(headers).toMatchObject({
      'x-ratelimit-limit-year': '2',
      'x-ratelimit-remaining-year': '0',
      'ratelimit-limit': '2',
      'ratelimit-remaining': '0',
    });
    expect(headers['retry-after']).toBe(headers['ratelimit-reset']);
    expect(proxy.upstream.requestCount).toBe(before);
  });

  it('names all windows and the tightest: the longest of equals', async () => {
    const { host } = await limited({ day: 9, month: 9, year: 100 });
    const headers = limitHeaders(await proxy.send(host));
    expect(headers).toMatchObject({
      'x-ratelimit-limit-day': '9',
      'x-ratelimit-remaining-day': '8',
      'x-ratelimit-limit-month': '9',
      'x-ratelimit-remaining-month': '8',
      'x-ratelimit-limit-year': '100',
      'x-ratelimit-remaining-year': '99',
      'ratelimit-limit': '9',
      'ratelimit-remaining': '8',
    });
    const monthSeconds =
      (Date.now() - Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), 1)) / 1000;
    const reset = Number(headers['ratelimit-reset']);
    expect(Math.abs(reset - Math.max(1, 2_592_000 - monthSeconds))).toBeLessThan(5);
  });

  it('keeps what really remains in the windows that did not refuse', async () => {
    const { host } = await limited({ month: 1, year: 10 });
    await proxy.send(host);
    for (let sent = 0; sent < 2; sent++) {
      expect(limitHeaders(await proxy.send(host))).toMatchObject({
        'x-ratelimit-remaining-month': '0',
        'x-ratelimit-remaining-year': '9',
        'ratelimit-limit': '1',
      });
    }
  });

  it('says nothing of limits with hide_client_headers, and still refuses', async () => {
    const { host } = await limited({ year: 1, hide_client_headers: true });
    const answers = [await proxy.send(host), await proxy.send(host)];
    expect(answers.map(({ status }) => status)).toEqual([200, 429]);
    expect(answers.map(limitHeaders)).toEqual([{}, {}]);
  });

  it('has the status and text the operator wants, in the form the client accepts', async () => {
    const { host } = await limited({ year: 1, error_code: 503, error_message: 'slow "down"' });
    await proxy.send(host);
    const answer = await proxy.send(host, '/', { headers: { Accept: 'text/plain' } });
    expect([answer.status, answer.header('content-type')]).toEqual([503, 'text/plain; charset=utf-8']);
    expect(answer.text).toBe(`slow "down"\nrequest_id: ${answer.header('x-kong-request-id')}\n`);
    expect((await proxy.send(host)).json()).toMatchObject({ message: 'slow "down"' });
  });

  it('is 500 when it is told to refuse with a status that is no error: nothing passes', async () => {
    const { host } = await limited({ year: 1, error_code: 200 });
    const before = proxy.upstream.requestCount;
    expect(await statuses(host, 3)).toEqual([200, 500, 500]);
    expect((await proxy.send(host)).text).toBe('{"message":"An unexpected error occurred"}');
    expect(proxy.upstream.requestCount).toBe(before + 1);
  });

  it('keeps its own headers when the upstream sends the same', async () => {
    const { host } = await limited({ year: 5 });
    const answer = await proxy.send(host, '/headers?RateLimit-Limit=99&X-RateLimit-Limit-Year=99');
    expect(answer.headerLines('ratelimit-limit')).toEqual(['5']);
    expect(answer.headerLines('x-ratelimit-limit-year')).toEqual(['5']);
  });

  it('prints fractions, and lets one more pass for the rest', async () => {
    const { host } = await limited({ year: 1.5 });
    const first = await proxy.send(host);
    expect(limitHeaders(first)).toMatchObject({
      'x-ratelimit-limit-year': '1.5',
      'x-ratelimit-remaining-year': '0.5',
    });
    expect(await statuses(host, 2)).toEqual([200, 429]);
  });
});

describe('what counts', () => {
  it('is every method and every answer of the upstream', async () => {
    const { host } = await limited({ year: 4 });
    for (const method of ['POST', 'OPTIONS', 'HEAD']) await proxy.send(host, '/', { method });
    expect(await statuses(host, 2, {}, '/status/500')).toEqual([500, 429]);
  });

  it('is no request without a good key', async () => {
    const { host } = await protectedAndLimited({ year: 2 });
    const { options } = await makeConsumer();
    expect(await statuses(host, 4)).toEqual([401, 401, 401, 401]);
    expect(limitHeaders(await proxy.send(host))).toEqual({});
    expect(await statuses(host, 3, options)).toEqual([200, 200, 429]);
  });

  it('is no refused request: windows that are not full stay as they are', async () => {
    const { host, serviceId } = await proxy.expose();
    const { id } = await limitBy(`/services/${serviceId}/plugins`, { month: 1, year: 5 });
    expect(await statuses(host, 4)).toEqual([200, 429, 429, 429]);
    await proxy.write('PATCH', `/plugins/${id}`, { config: { month: 5 } });
    expect(limitHeaders(await proxy.send(host))).toMatchObject({
      'x-ratelimit-remaining-month': '3',
      'x-ratelimit-remaining-year': '3',
    });
  });

  it.each([{ year: 25 }, { month: 25, year: 30 }])(
    'is exact at %j whatever arrives at once',
    async (config) => {
      const { host } = await limited(config);
      const answers = await Promise.all(Array.from({ length: 40 }, () => proxy.send(host)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(25);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
    },
  );
});

describe('who is limited', () => {
  it('is each consumer on its own by default, and the address where there is none', async () => {
    const { host } = await protectedAndLimited({ year: 1 });
    for (const { options } of [await makeConsumer(), await makeConsumer()]) {
      expect(await statuses(host, 2, options)).toEqual([200, 429]);
    }
    const open = await limited({ year: 1 });
    expect(await statuses(open.host, 2, { headers: { 'X-Real-IP': '10.0.0.1' } })).toEqual([200, 429]);
    expect(await statuses(open.host, 2, { headers: { 'X-Real-IP': '10.0.0.2' } })).toEqual([200, 429]);
  });

  it('is each key with limit_by=credential, and the consumer with all its keys otherwise', async () => {
    const byKey = await protectedAndLimited({ year: 1, limit_by: 'credential' });
    const byConsumer = await protectedAndLimited({ year: 1 });
    const { id, options } = await makeConsumer();
    const { key } = await proxy.write('POST', `/consumers/${id}/key-auth`, {});
    const second = { headers: { apikey: key } };
    for (const each of [options, second]) expect(await statuses(byKey.host, 2, each)).toEqual([200, 429]);
    expect(await statuses(byConsumer.host, 1, options)).toEqual([200]);
    expect(await statuses(byConsumer.host, 1, second)).toEqual([429]);
  });

  it('is the address with limit_by=ip, whoever calls', async () => {
    const { host } = await protectedAndLimited({ year: 1, limit_by: 'ip' });
    const from = (address: string, headers: Record<string, string>) => ({
      headers: { ...headers, 'X-Real-IP': address },
    });
    const [one, two] = [await makeConsumer(), await makeConsumer()];
    expect(await statuses(host, 1, from('10.1.0.1', one.options.headers))).toEqual([200]);
    expect(await statuses(host, 1, from('10.1.0.1', two.options.headers))).toEqual([429]);
    expect(await statuses(host, 1, from('10.1.0.2', one.options.headers))).toEqual([200]);
  });

  it('is everybody together with limit_by=service', async () => {
    const { host } = await protectedAndLimited({ year: 1, limit_by: 'service' });
    expect(await statuses(host, 1, (await makeConsumer()).options)).toEqual([200]);
    expect(await statuses(host, 1, (await makeConsumer()).options)).toEqual([429]);
  });

  it('is the first value of a header, and the address without it', async () => {
    const { host } = await limited({ year: 1, limit_by: 'header', header_name: 'X-Tenant' });
    const tenant = (...values: string[]) => ({ headers: { 'x-tenant': values } });
    expect(await statuses(host, 2, tenant('a', 'b'))).toEqual([200, 429]);
    expect(await statuses(host, 1, tenant('b'))).toEqual([200]);
    expect(await statuses(host, 1, tenant('A'))).toEqual([200]);
    expect(await statuses(host, 2)).toEqual([200, 429]);
  });

  it('is told apart by header values of any kind and length', async () => {
    const { host } = await limited({ year: 1, limit_by: 'header', header_name: 'X-Tenant' });
    const long = 'x'.repeat(5_000);
    const values = [
      'a,b',
      'a:b',
      'a b\tc',
      '{"a":1}',
      '%0A',
      '\u00e9',
      long,
      `${long}y`,
      `${long.slice(1)}y`,
    ];
    for (const value of values) {
      expect(
        await statuses(host, 2, { headers: { 'x-tenant': Buffer.from(value).toString('latin1') } }),
      ).toEqual([200, 429]);
    }
  });

  it('is everybody on one path with limit_by=path, and each address on all others', async () => {
    const { host } = await limited({ year: 1, limit_by: 'path', path: '/hot' });
    const from = (address: string) => ({ headers: { 'X-Real-IP': address } });
    expect(await statuses(host, 1, from('10.2.0.1'), '/hot?a=1')).toEqual([200]);
    expect(await statuses(host, 1, from('10.2.0.2'), '/x/../hot')).toEqual([429]);
    expect(await statuses(host, 1, from('10.2.0.1'), '/hot/')).toEqual([200]);
    expect(await statuses(host, 1, from('10.2.0.1'), '/other')).toEqual([429]);
    expect(await statuses(host, 1, from('10.2.0.2'), '/other')).toEqual([200]);
  });
});

describe('a counter', () => {
  it('belongs to the scope of the plugin: a service counts all its routes together', async () => {
    const { host, serviceId } = await limited({ year: 2 });
    const other = `${randomUUID()}.test`;
    await proxy.write('POST', `/services/${serviceId}/routes`, { hosts: [other] });
    expect(await statuses(host, 1)).toEqual([200]);
    expect(await statuses(other, 2)).toEqual([200, 429]);
  });

  it('belongs to the route when the plugin does', async () => {
    const { host, routeId, serviceId } = await proxy.expose();
    await limitBy(`/routes/${routeId}/plugins`, { year: 1 });
    const other = `${randomUUID()}.test`;
    const made = await proxy.write('POST', `/services/${serviceId}/routes`, { hosts: [other] });
    await limitBy(`/routes/${made.id}/plugins`, { year: 1 });
    expect(await statuses(host, 2)).toEqual([200, 429]);
    expect(await statuses(other, 2)).toEqual([200, 429]);
  });

  it('outlives changed limits and a plugin made anew', async () => {
    const { host, serviceId } = await proxy.expose();
    const { id } = await limitBy(`/services/${serviceId}/plugins`, { year: 2 });
    expect(await statuses(host, 3)).toEqual([200, 200, 429]);
    await proxy.write('PATCH', `/plugins/${id}`, { config: { year: 3 } });
    expect(await statuses(host, 2)).toEqual([200, 429]);
    await proxy.write('DELETE', `/plugins/${id}`);
    expect(await statuses(host, 1)).toEqual([200]);
    await limitBy(`/services/${serviceId}/plugins`, { year: 4 });
    expect(await statuses(host, 2)).toEqual([200, 429]);
  });

  it('is shared by configurations of the same route and service: another plan keeps the used quota', async () => {
    const { host, serviceId } = await protectedAndLimited({ year: 2 });
    const { id, options } = await makeConsumer();
    expect(await statuses(host, 3, options)).toEqual([200, 200, 429]);
    const service = { id: serviceId };
    const plan = { name: 'rate-limiting', service, consumer: { id }, config: { year: 5 } };
    await proxy.write('POST', '/plugins', plan);
    expect(limitHeaders(await proxy.send(host, '/', options))).toMatchObject({
      'x-ratelimit-limit-year': '5',
      'x-ratelimit-remaining-year': '2',
    });
  });

  it('is not shared by a service and a consumer: the nil id stands for what is not limited', async () => {
    const { host } = await protectedAndLimited({ year: 2 });
    const { id, options } = await makeConsumer();
    expect(await statuses(host, 3, options)).toEqual([200, 200, 429]);
    await limitBy(`/consumers/${id}/plugins`, { year: 2 });
    expect(await statuses(host, 3, options)).toEqual([200, 200, 429]);
  });
});

it('runs one configuration a request: the most specific', async () => {
  const { host, routeId, serviceId } = await proxy.expose();
  await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
  const [mine, other] = [await makeConsumer(), await makeConsumer()];
  const references = { route: { id: routeId }, service: { id: serviceId }, consumer: { id: mine.id } };
  const limitOf = async ({ options }: typeof mine) =>
    (await proxy.send(host, '/', options)).header('x-ratelimit-limit-year');
  const scopes = [
    [],
    ['service'],
    ['route'],
    ['consumer'],
    ['route', 'service'],
    ['service', 'consumer'],
    ['route', 'consumer'],
    ['route', 'service', 'consumer'],
  ] as const;
  const made: string[] = [];
  for (const [rank, scope] of scopes.entries()) {
    const attached = Object.fromEntries(scope.map((name) => [name, references[name]]));
    const config = { year: 1000 + rank };
    made.push((await proxy.write('POST', '/plugins', { name: 'rate-limiting', config, ...attached })).id);
    expect(await limitOf(mine), scope.join(' + ')).toBe(String(1000 + rank));
  }
  expect(await limitOf(other)).toBe('1004');
  // Disabled configurations do not exist: the next scope applies.
  for (let rank = scopes.length - 1; rank > 0; rank--) {
    await proxy.write('PATCH', `/plugins/${made[rank]}`, { enabled: false });
    expect(await limitOf(mine)).toBe(String(999 + rank));
  }
  await proxy.write('DELETE', `/plugins/${made[0]}`);
  expect(await limitOf(mine)).toBeUndefined();
});

it('limits the anonymous consumer as a consumer', async () => {
  const { host, serviceId } = await proxy.expose();
  const guest = await makeConsumer();
  await proxy.write('POST', `/services/${serviceId}/plugins`, {
    name: 'key-auth',
    config: { anonymous: guest.id },
  });
  await limitBy(`/services/${serviceId}/plugins`, { year: 50 });
  await limitBy(`/consumers/${guest.id}/plugins`, { year: 1 });
  expect(await statuses(host, 2)).toEqual([200, 429]);
  expect(await statuses(host, 2, (await makeConsumer()).options)).toEqual([200, 200]);
});

describe('the configuration', () => {
  const refusal = async (config: Config) => {
    const { status, body } = await proxy.admin('POST', '/plugins', { name: 'rate-limiting', config });
    return { status, fields: body.fields, message: body.message };
  };
  const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year']
    .map((name) => `'config.${name}'`)
    .join(', ');

  it('needs a limit', async () => {
    const text = `at least one of these fields must be non-empty: ${PERIODS}`;
    expect(await refusal({})).toMatchObject({
      status: 400,
      fields: { '@entity': [text] },
      message: expect.stringContaining(text),
    });
  });

  it('needs limits that grow with their periods', async () => {
    const text = 'The limit for hour(10.0) cannot be lower than the limit for second(20.0)';
    expect(await refusal({ second: 20, hour: 10 })).toEqual({
      status: 400,
      fields: { config: text },
      message: `schema violation (config: ${text})`,
    });
  });

  it.each([
    [{ minute: 0 }, { minute: 'value must be greater than 0' }],
    [{ minute: -1 }, { minute: 'value must be greater than 0' }],
    [{ minute: '5' }, { minute: 'expected a number' }],
    [
      { minute: 5, limit_by: 'nobody' },
      {
        limit_by: expect.stringContaining('expected one of: consumer, credential, ip, service, header, path'),
      },
    ],
    [{ minute: 5, limit_by: 'header' }, { header_name: 'required field missing' }],
    [{ minute: 5, limit_by: 'path' }, { path: 'required field missing' }],
    [{ minute: 5, limit_by: 'path', path: 'x' }, { path: 'should start with: /' }],
    [{ minute: 5, error_code: 0 }, { error_code: 'value must be greater than 0' }],
    [{ minute: 5, nope: 1 }, { nope: 'unknown field' }],
  ])('refuses %j', async (config, expected) => {
    const { status, fields } = await refusal(config);
    expect(status).toBe(400);
    expect(fields.config).toMatchObject(expected);
  });

  it.each([
    [{}, { host: 'required field missing' }],
    [{ redis: { host: null } }, { host: 'required field missing' }],
    [{ redis: { host: 'r.test', port: null } }, { port: 'required field missing' }],
    [{ redis: { host: 'r.test', timeout: null } }, { timeout: 'required field missing' }],
    [{ redis: { host: 'r.test', port: 65_536 } }, { port: 'value should be between 0 and 65535' }],
    [{ redis: { host: 'r.test:6379' } }, { host: expect.any(String) }],
    [{ redis: { host: 'r.test', keepalive: 1 } }, { keepalive: 'unknown field' }],
  ])('refuses the policy redis with %j', async (config, expected) => {
    const { status, fields } = await refusal({ minute: 5, policy: 'redis', ...config });
    expect(status).toBe(400);
    expect(fields.config.redis).toMatchObject(expected);
  });

  it('says which rule a missing host breaks', async () => {
    const { fields } = await refusal({ minute: 5, policy: 'redis' });
    expect(fields['@entity']).toContain("failed conditional validation given value of field 'config.policy'");
  });

  it.each([0, 0.019, -2])('refuses a sync_rate of %d', async (sync_rate) => {
    const { status, message } = await refusal({
      minute: 5,
      policy: 'redis',
      redis: { host: 'r.test' },
      sync_rate,
    });
    expect(status).toBe(400);
    expect(message).toContain('sync_rate must be greater than 0.02, or -1 to disable');
  });

  it.each([
    { policy: 'cluster' },
    { policy: 'redis', redis: { host: 'r.test' } },
    { policy: 'redis', redis: { host: '10.0.0.1' }, sync_rate: 0.02 },
    { policy: 'redis', redis_host: 'r.test' },
    { policy: 'redis', redis: { host: 'r.test', username: 'u', password: '', database: 5, ssl: true } },
    { policy: 'redis', redis: { cluster_nodes: [{ ip: '10.0.0.1', port: 7000 }, { ip: '10.0.0.2' }] } },
    {
      policy: 'redis',
      redis: {
        sentinel_master: 'm',
        sentinel_role: 'master',
        sentinel_nodes: [{ host: 's.test', port: 26_379 }],
      },
    },
  ])('takes %j', async (config) => {
    const { serviceId } = await proxy.expose();
    const { config: shown } = await limitBy(`/services/${serviceId}/plugins`, { minute: 5, ...config });
    expect(shown.policy).toBe(config.policy);
  });

  it('needs all of the members that name a sentinel', async () => {
    const redis = { sentinel_nodes: [{ host: 's.test' }] };
    const { status, message } = await refusal({ minute: 5, policy: 'redis', redis });
    expect(status).toBe(400);
    expect(message).toContain('sentinel_master');
  });

  it('refuses a sync_rate without the policy redis', async () => {
    const { status, message } = await refusal({ minute: 5, sync_rate: 1 });
    expect(status).toBe(400);
    expect(message).toContain('sync_rate can only be used with the redis policy');
  });

  it('takes a form, and shows its defaults', async () => {
    const { serviceId } = await proxy.expose();
    const response = await fetch(`${proxy.gateway.adminUrl}/services/${serviceId}/plugins`, {
      method: 'POST',
      body: new URLSearchParams('name=rate-limiting&config.minute=5&config.hour=10.5&config.limit_by=ip'),
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      config: {
        second: null,
        minute: 5,
        hour: 10.5,
        limit_by: 'ip',
        policy: 'local',
        fault_tolerant: true,
        hide_client_headers: false,
        error_code: 429,
        error_message: 'API rate limit exceeded',
        sync_rate: -1,
      },
    });
  });

  it('takes the old names of redis fields and shows both', async () => {
    const { serviceId } = await proxy.expose();
    const { config } = await limitBy(`/services/${serviceId}/plugins`, {
      minute: 5,
      redis_host: 'r.test',
      redis_port: 7000,
    });
    expect(config).toMatchObject({
      redis_host: 'r.test',
      redis_port: 7000,
      redis: { host: 'r.test', port: 7000 },
    });
  });

  it('shows the redis record with its defaults when none is given', async () => {
    const { serviceId } = await proxy.expose();
    const { config } = await limitBy(`/services/${serviceId}/plugins`, { minute: 5 });
    expect(config).toMatchObject({
      redis: {
        host: null,
        port: 6379,
        timeout: 2000,
        username: null,
        password: null,
        database: 0,
        ssl: false,
        ssl_verify: false,
        server_name: null,
        cluster_nodes: null,
        sentinel_nodes: null,
        sentinel_master: null,
      },
    });
  });

  it('exists once in a scope', async () => {
    const { serviceId } = await limited({ minute: 5 });
    const again = await proxy.admin('POST', `/services/${serviceId}/plugins`, {
      name: 'rate-limiting',
      config: { minute: 6 },
    });
    expect([again.status, again.body.code]).toEqual([409, 5]);
  });
});
