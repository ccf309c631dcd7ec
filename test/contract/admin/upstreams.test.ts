/** Sections 3.6 and 3.7: upstreams and their targets. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(() => admin.empty());
afterAll(() => admin.close());

const NOT_FOUND = { message: 'Not found' };
const HEALTHCHECKS = {
  threshold: 0,
  active: {
    type: 'http',
    timeout: 1,
    concurrency: 10,
    http_path: '/',
    https_sni: null,
    https_verify_certificate: true,
    headers: null,
    healthy: { interval: 0, http_statuses: [200, 302], successes: 0 },
    unhealthy: {
      interval: 0,
      http_statuses: [429, 404, 500, 501, 502, 503, 504, 505],
      tcp_failures: 0,
      timeouts: 0,
      http_failures: 0,
    },
  },
  passive: {
    type: 'http',
    healthy: {
      http_statuses: [
        200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
      ],
      successes: 0,
    },
    unhealthy: { http_statuses: [429, 500, 503], tcp_failures: 0, timeouts: 0, http_failures: 0 },
  },
};

describe('an upstream', () => {
  it('has all its fields from its name alone', async () => {
    const { status, body } = await admin.post('/upstreams', { name: 'orders' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      name: 'orders',
      algorithm: 'round-robin',
      hash_on: 'none',
      hash_fallback: 'none',
      hash_on_header: null,
      hash_fallback_header: null,
      hash_on_cookie: null,
      hash_on_cookie_path: '/',
      hash_on_query_arg: null,
      hash_fallback_query_arg: null,
      hash_on_uri_capture: null,
      hash_fallback_uri_capture: null,
      slots: 10000,
      healthchecks: HEALTHCHECKS,
      tags: null,
      host_header: null,
      client_certificate: null,
      use_srv_name: false,
    });
  });

  it('keeps the other health checks when some are changed', async () => {
    await admin.post('/upstreams', { name: 'orders' });
    const { body } = await admin.patch('/upstreams/orders', {
      healthchecks: { active: { healthy: { interval: 5 } }, threshold: 40.5 },
    });
    const { active } = HEALTHCHECKS;
    expect(body['healthchecks']).toEqual({
      ...HEALTHCHECKS,
      threshold: 40.5,
      active: { ...active, healthy: { ...active.healthy, interval: 5 } },
    });
  });

  it.each([
    [{}, ['round-robin', 'none']],
    [{ hash_on: 'ip' }, ['consistent-hashing', 'ip']],
    [{ algorithm: 'round-robin', hash_on: 'ip' }, ['consistent-hashing', 'ip']],
    [{ algorithm: 'least-connections', hash_on: 'ip' }, ['least-connections', 'none']],
    [{ algorithm: 'latency' }, ['latency', 'none']],
    [{ algorithm: 'consistent-hashing' }, ['consistent-hashing', 'none']],
    [{ algorithm: 'consistent-hashing', hash_on: 'none' }, ['round-robin', 'none']],
    [{ hash_on: null }, ['round-robin', 'none']],
  ])('made with %j has the algorithm and input %j', async (input, expected) => {
    const { body } = await admin.post('/upstreams', { name: 'orders', ...input });
    expect([body['algorithm'], body['hash_on']]).toEqual(expected);
  });

  it('changes its algorithm with its hash input, and back', async () => {
    await admin.post('/upstreams', { name: 'orders', algorithm: 'least-connections' });
    const hashed = await admin.patch('/upstreams/orders', { hash_on: 'path' });
    expect(hashed.body).toMatchObject({ algorithm: 'consistent-hashing', hash_on: 'path' });
    const latency = await admin.patch('/upstreams/orders', { algorithm: 'latency' });
    expect(latency.body).toMatchObject({ algorithm: 'latency', hash_on: 'none' });
  });

  const conditional = (field: string) => [`failed conditional validation given value of field '${field}'`];

  it.each([
    [{ name: '1.2.3.4' }, { name: "Invalid name ('1.2.3.4'); no ip addresses allowed" }],
    [{ name: 'a:80' }, { name: "Invalid name ('a:80'); no port allowed" }],
    [{ name: 'a b' }, { name: "Invalid name ('a b'); must be a valid hostname" }],
    [{}, { name: 'required field missing' }],
    [{ slots: 9 }, { slots: 'value should be between 10 and 65536' }],
    [
      { algorithm: 'random' },
      { algorithm: 'expected one of: consistent-hashing, least-connections, round-robin, latency' },
    ],
    [{ hash_on: 'header' }, { '@entity': conditional('hash_on'), hash_on_header: 'required field missing' }],
    [
      { hash_on: 'ip', hash_fallback: 'cookie' },
      { '@entity': conditional('hash_fallback'), hash_on_cookie: 'required field missing' },
    ],
    [{ hash_fallback: 'ip' }, { '@entity': conditional('hash_on'), hash_fallback: 'expected one of: none' }],
    [
      { hash_on: 'cookie', hash_on_cookie: 'c', hash_fallback: 'ip' },
      { '@entity': conditional('hash_on'), hash_fallback: 'expected one of: none' },
    ],
    [
      { hash_on: 'ip', hash_fallback: 'ip' },
      {
        '@entity': conditional('hash_on'),
        hash_fallback: 'expected one of: none, consumer, header, cookie, path, query_arg, uri_capture',
      },
    ],
    [
      { hash_on: 'header', hash_on_header: 'x', hash_fallback: 'header', hash_fallback_header: 'x' },
      {
        '@entity': ["values of these fields must be distinct: 'hash_on_header', 'hash_fallback_header'"],
      },
    ],
    [
      { healthchecks: { passive: { unhealthy: { timeouts: 256 } }, threshold: 101 } },
      {
        healthchecks: {
          passive: { unhealthy: { timeouts: 'value should be between 0 and 255' } },
          threshold: 'value should be between 0 and 100',
        },
      },
    ],
    [
      { healthchecks: { active: { type: 'udp', healthy: { http_statuses: [99] } } } },
      {
        healthchecks: {
          active: {
            type: 'expected one of: tcp, http, https, grpc, grpcs',
            healthy: { http_statuses: ['value should be between 100 and 999'] },
          },
        },
      },
    ],
  ])('is refused when it is %j', async (input, fields) => {
    const named = Object.keys(input).length === 0 ? {} : { name: 'orders', ...input };
    const { status, body } = await admin.post('/upstreams', named);
    expect([status, body['fields']]).toEqual([400, fields]);
  });

  it('cannot be asked for by an address', async () => {
    const { status, body } = await admin.put('/upstreams/1.2.3.4', {});
    expect([status, body['code']]).toEqual([400, 10]);
  });
});

describe('a target', () => {
  let upstreamId: string;
  beforeEach(async () => {
    upstreamId = (await admin.post('/upstreams', { name: 'orders' })).id;
  });

  it('has a port, a weight and times to the millisecond', async () => {
    const { status, body } = await admin.post('/upstreams/orders/targets', { target: 'shop.test' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      upstream: { id: upstreamId },
      target: 'shop.test:8000',
      weight: 100,
      tags: null,
    });
    expect(Number(body['created_at']) * 1000).toBeCloseTo(Math.round(Number(body['created_at']) * 1000), 2);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1:8000'],
    ['127.0.0.1:9', '127.0.0.1:9'],
    ['::1', '[0000:0000:0000:0000:0000:0000:0000:0001]:8000'],
    ['[FE80::1.2.3.4]:81', '[fe80:0000:0000:0000:0000:0000:0102:0304]:81'],
  ])('%s is kept as %s and found by both', async (given, kept) => {
    const made = await admin.post('/upstreams/orders/targets', { target: given });
    expect(made.body['target']).toBe(kept);
    for (const key of [given, kept, made.id]) {
      expect((await admin.get(`/upstreams/orders/targets/${encodeURIComponent(key)}`)).id).toBe(made.id);
    }
  });

  it('that cannot be read is reported alone', async () => {
    const { status, body } = await admin.post('/upstreams/orders/targets', { target: 'a b', weight: -1 });
    expect([status, body['fields']]).toEqual([
      400,
      { target: 'Invalid target; not a valid hostname or ip address' },
    ]);
    const heavy = await admin.post('/upstreams/orders/targets', { target: 'a', weight: 65536 });
    expect(heavy.body['fields']).toEqual({ weight: 'value should be between 0 and 65535' });
  });

  it('is there once in an upstream, however it is spelled, and in others too', async () => {
    await admin.post('/upstreams/orders/targets', { target: 'shop.test' });
    const again = await admin.post('/upstreams/orders/targets', { target: 'shop.test:8000' });
    expect([again.status, again.body['fields']]).toEqual([
      409,
      { target: 'shop.test:8000', upstream: { id: upstreamId } },
    ]);
    await admin.post('/upstreams', { name: 'other' });
    expect((await admin.post('/upstreams/other/targets', { target: 'shop.test' })).status).toBe(201);
  });

  it('is changed by PATCH and PUT alike, and never made by them', async () => {
    const { id } = await admin.post('/upstreams/orders/targets', { target: 'shop.test', tags: ['t'] });
    for (const [method, weight] of [
      ['patch', 7],
      ['put', 0],
    ] as const) {
      const { status, body } = await admin[method]('/upstreams/orders/targets/shop.test', { weight });
      expect([status, body['id'], body['weight'], body['tags']]).toEqual([200, id, weight, ['t']]);
    }
    const missing = await admin.put(`/upstreams/orders/targets/${randomUUID()}`, { target: 'new.test' });
    expect([missing.status, missing.body]).toEqual([404, NOT_FOUND]);
  });

  it('is deleted once, and with its upstream', async () => {
    const { id } = await admin.post('/upstreams/orders/targets', { target: 'a.test' });
    await admin.post('/upstreams/orders/targets', { target: 'b.test' });
    await admin.post('/upstreams', { name: 'other' });
    expect((await admin.get(`/upstreams/other/targets/${id}`)).status).toBe(404);
    expect((await admin.delete(`/upstreams/other/targets/${id}`)).status).toBe(404);
    expect((await admin.delete('/upstreams/orders/targets/a.test:8000')).status).toBe(204);
    expect((await admin.delete('/upstreams/orders/targets/a.test:8000')).status).toBe(404);
    expect((await admin.delete('/upstreams/orders')).status).toBe(204);
    await admin.post('/upstreams', { name: 'orders' });
    expect((await admin.get('/upstreams/orders/targets')).data).toEqual([]);
  });

  it('is listed newest first by number, or all of them by id', async () => {
    const made: string[] = [];
    for (const [at, name] of ['a', 'b', 'c'].entries()) {
      const target = { target: name, created_at: 1000 + at, weight: at };
      made.push((await admin.post('/upstreams/orders/targets', target)).id);
    }
    const first = await admin.get('/upstreams/orders/targets?size=2');
    expect(first.data.map(({ id }) => id)).toEqual([made[2], made[1]]);
    expect([first.body['offset'], first.body['next']]).toEqual(['2', '/upstreams/orders/targets?offset=2']);
    const last = await admin.get('/upstreams/orders/targets?size=2&offset=2');
    expect([last.data.map(({ id }) => id), last.body['next']]).toEqual([[made[0]], null]);
    expect((await admin.get('/upstreams/orders/targets?offset=x')).status).toBe(400);

    const all = await admin.get('/upstreams/orders/targets/all?size=2');
    expect(all.body['next']).toMatch(/^\/upstreams\/orders\/targets\/all\?offset=\D/);
    const rest = await admin.get(String(all.body['next']));
    expect([...all.data, ...rest.data].map(({ id }) => id)).toEqual(made.toSorted());
  });

  it.each(['/targets', `/targets/${randomUUID()}`, `/targets/${randomUUID()}/upstream`])(
    'is not to be had at %s',
    async (path) => {
      const { status, body } = await admin.get(path);
      expect([status, body]).toEqual([404, NOT_FOUND]);
    },
  );
});
