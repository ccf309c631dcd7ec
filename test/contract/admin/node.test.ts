/** Section 6: the node's own endpoints, and what is refused in every node with a database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStatusApi } from '../../../core/admin/create-status-api.ts';
import { type AdminUnderTest, startAdmin, TEST_NODE } from './support/admin-under-test.ts';
import { createCaller } from './support/call-admin.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin.close());

describe('GET /', () => {
  it('names the contract, the node and the plugins', async () => {
    await admin.post('/plugins', { name: 'cors' });
    await admin.post('/consumers', { username: 'bob' });
    await admin.post('/consumers/bob/plugins', { name: 'cors' });
    const { status, body } = await admin.get('/');
    expect(status).toBe(200);
    expect(body).toEqual({
      version: '3.9.1',
      edition: 'community',
      tagline: 'Welcome to tollgate',
      hostname: 'node.test',
      node_id: TEST_NODE.id,
      lua_version: expect.any(String),
      pids: { master: 100, workers: [101, 102] },
      timers: { running: expect.any(Number), pending: expect.any(Number) },
      plugins: {
        available_on_server: {
          tiers: { version: '1.2.3', priority: 910 },
          'key-auth': { version: '3.9.1', priority: 1250 },
          cors: { version: '3.9.1', priority: 2000 },
        },
        enabled_in_cluster: ['cors'],
      },
      configuration: { database: 'postgres', role: 'traditional', plugins: ['bundled'] },
      tollgate: { version: '0.1.0' },
    });
  });
});

describe('GET /status', () => {
  it('counts memory in MiB with two digits unless asked otherwise', async () => {
    const { status, body } = await admin.get('/status');
    expect(status).toBe(200);
    expect(body).toEqual({
      memory: {
        workers_lua_vms: [
          { pid: 101, http_allocated_gc: '20.00 MiB' },
          { pid: 102, http_allocated_gc: '1.00 MiB' },
        ],
        lua_shared_dicts: { counters: { capacity: '5.00 MiB', allocated_slabs: '0.04 MiB' } },
      },
      server: expect.objectContaining({ total_requests: 42 }),
      database: { reachable: true },
    });
  });

  it.each([
    ['unit=k', '5120.00 KiB'],
    ['unit=K&scale=0', '5120 KiB'],
    ['unit=g&scale=4', '0.0049 GiB'],
    ['unit=b', 5 * 2 ** 20],
    ['scale=1', '5.0 MiB'],
  ])('takes %s', async (query, capacity) => {
    const { body } = await admin.get(`/status?${query}`);
    expect(body['memory']).toMatchObject({ lua_shared_dicts: { counters: { capacity } } });
  });

  it.each(['V', '', 'constructor'])('refuses the unit %j', async (unit) => {
    const { status, body } = await admin.get(`/status?unit=${unit}`);
    expect([status, body]).toEqual([
      400,
      { message: `invalid unit '${unit}' (expected 'k/K', 'm/M', or 'g/G')` },
    ]);
  });

  it.each(['-1', 'x', '1.5', '101'])('refuses the scale %s', async (scale) => {
    expect((await admin.get(`/status?scale=${scale}`)).status).toBe(400);
  });
});

describe('GET /metrics', () => {
  it('is Prometheus text', async () => {
    const { status, headers, text } = await admin.get('/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; charset=UTF-8']);
    expect(text).toContain('tollgate_up 1');
  });
});

describe('GET /endpoints', () => {
  it('lists every template, sorted by segments, disabled ones included', async () => {
    const templates = (await admin.get('/endpoints')).body['data'] as string[];
    expect(templates[0]).toBe('/');
    expect(templates).toEqual(
      expect.arrayContaining([
        '/services/{services}/routes/{routes}',
        '/consumers/{consumers}/key-auth/{keyauth_credentials}',
        '/key-auths/{keyauth_credentials}/consumer',
        '/routes/{routes}/service',
        '/plugins/enabled',
        '/schemas/{db_entity_name}/validate',
        '/targets',
        '/tags/{tags}',
        '/endpoints',
      ]),
    );
    expect(templates.indexOf('/plugins/enabled')).toBeLessThan(templates.indexOf('/plugins/{plugins}'));
    expect(new Set(templates).size).toBe(templates.length);
  });
});

describe('GET /timers', () => {
  it('has the shape of the reference', async () => {
    const { body } = await admin.get('/timers');
    expect(body).toEqual({
      worker: { id: expect.any(Number), count: 2 },
      stats: {
        flamegraph: {
          running: expect.any(String),
          pending: expect.any(String),
          elapsed_time: expect.any(String),
        },
        sys: {
          total: expect.any(Number),
          runs: expect.any(Number),
          running: expect.any(Number),
          pending: expect.any(Number),
          waiting: expect.any(Number),
        },
        timers: {},
      },
    });
  });
});

describe('/cache', () => {
  it('has nothing where nothing is cached', async () => {
    expect((await admin.get('/cache/x')).body).toEqual({ message: 'Not found' });
    expect((await admin.delete('/cache/x')).status).toBe(204);
    expect((await admin.delete('/cache')).status).toBe(204);
  });

  it('shows objects as they are and anything else as a message, and forgets on demand', async () => {
    const cached = new Map<string, unknown>([
      ['object', { a: 1 }],
      ['number', 5],
      ['a:b/c', 'text'],
    ]);
    const cache = {
      get: async (key: string) => cached.get(key),
      delete: async (key: string) => void cached.delete(key),
      clear: async () => cached.clear(),
    };
    const caching = await startAdmin({ node: { ...TEST_NODE, cache } });
    try {
      expect((await caching.get('/cache/object')).body).toEqual({ a: 1 });
      expect((await caching.get('/cache/number')).body).toEqual({ message: 5 });
      expect((await caching.get('/cache/a%3Ab%2Fc')).body).toEqual({ message: 'text' });
      await caching.delete('/cache/object');
      expect((await caching.get('/cache/object')).status).toBe(404);
      await caching.delete('/cache');
      expect(cached.size).toBe(0);
    } finally {
      await caching.close();
    }
  });
});

describe('the log level', () => {
  it('is shown, changed and refused', async () => {
    const logger = { level: 'notice', error: () => {} };
    const announced: unknown[] = [];
    const announceLogLevel = async (...change: unknown[]) => void announced.push(change);
    const own = await startAdmin({ logger, node: { ...TEST_NODE, announceLogLevel } });
    const put = async (path: string) => (await own.put(`/debug/${path}`)).body['message'];
    try {
      expect((await own.get('/debug/node/log-level')).body).toEqual({ message: 'log level: notice' });
      expect(await put('node/log-level/debug')).toBe('log level changed');
      expect(logger.level).toBe('debug');
      expect(await put('node/log-level/debug')).toBe('log level is already debug');
      expect(await put('node/log-level/emerg?timeout=10')).toBe('log level changed');
      expect([logger.level, (await own.get('/debug/node/log-level')).body['message']]).toEqual([
        'fatal',
        'log level: emerg',
      ]);
      expect(await put('cluster/log-level/warn')).toBe('log level changed');
      expect(await put('node/log-level/x')).toBe('unknown log level: x');
      expect(await put('node/log-level/toString')).toBe('unknown log level: toString');
      expect((await own.put('/debug/node/log-level/debug?timeout=-1')).status).toBe(400);
      expect(await put('cluster/log-level/debug?timeout=-1')).toBe(
        'timeout must be greater than or equal to 0',
      );
      expect(announced).toEqual([
        ['debug', 'node', 60],
        ['emerg', 'node', 10],
        ['warn', 'cluster', 60],
      ]);
      expect(await put('node/log-level/info?timeout=0')).toBe('log level changed');
      await expect.poll(() => logger.level).toBe('notice');
    } finally {
      await own.close();
    }
  });
});

describe('what this kind of node does not do', () => {
  const NO_DATABASE = 'this endpoint is only available when Kong is configured to not use a database';
  const CONTROL_PLANE =
    'this endpoint is only available when Kong is configured to run as Control Plane for the cluster';
  const WASM = 'this endpoint is only available when wasm is enabled';

  it.each([
    ['GET', '/config', 400, NO_DATABASE],
    ['POST', '/config', 400, NO_DATABASE],
    ['GET', '/clustering/data-planes', 400, CONTROL_PLANE],
    ['GET', '/clustering/status', 400, CONTROL_PLANE],
    ['GET', '/filter-chains', 400, WASM],
    ['POST', '/services/x/filter-chains', 400, WASM],
    ['GET', '/filter-chains?size=1000', 400, WASM],
    ['DELETE', '/routes/x/filter-chains/y', 400, WASM],
    ['GET', '/routes/x/filters/enabled', 400, WASM],
    ['GET', '/status/dns', 501, 'not implemented with the legacy DNS client'],
  ] as const)('%s %s says so', async (method, path, status, message) => {
    const answer = await admin.call(method, path);
    expect([answer.status, answer.body]).toEqual([status, { message }]);
  });

  it('POST /config with YAML is read as far as its type', async () => {
    for (const type of ['application/yaml', 'text/yaml']) {
      const answer = await admin.call('POST', '/config', { headers: { 'content-type': type }, body: 'a: b' });
      expect(answer.status).toBe(400);
      const elsewhere = await admin.call('POST', '/services', {
        headers: { 'content-type': type },
        body: 'a: b',
      });
      expect(elsewhere.status).toBe(415);
    }
  });
});

describe('the status listener', () => {
  const start = (reason: string | undefined) => {
    const app = createStatusApi({
      status: TEST_NODE.status,
      metrics: TEST_NODE.metrics,
      ready: async () => reason,
      version: '0.1.0',
      logger: { error: () => {} },
    });
    return { ...createCaller(app), close: () => app.close() };
  };

  it('says whether the node is ready', async () => {
    const [ready, waiting] = [start(undefined), start('no configuration yet')];
    const [yes, no] = [await ready.get('/status/ready'), await waiting.get('/status/ready')];
    expect([yes.status, yes.body]).toEqual([200, { message: 'ready' }]);
    expect([no.status, no.body]).toEqual([503, { message: 'no configuration yet' }]);
    await Promise.all([ready.close(), waiting.close()]);
  });

  it('has status and metrics, and nothing that writes', async () => {
    const api = start(undefined);
    expect((await api.get('/status?unit=k')).status).toBe(200);
    expect((await api.get('/metrics')).headers['content-type']).toBe('text/plain; charset=UTF-8');
    expect((await api.get('/services')).status).toBe(404);
    expect((await api.post('/status', {})).status).toBe(405);
    expect((await api.call('HEAD', '/status/ready')).status).toBe(200);
    await api.close();
  });
});
