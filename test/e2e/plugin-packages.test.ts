/** Third parties' plugins are published, changed and taken back while traffic flows. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sealArtefact } from '../../core/sandbox/plugin-artefact.ts';
import { packPlugin } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2', TOLLGATE_PLUGIN_TIMEOUT_MS: '200' });
});
afterAll(() => proxy?.stop());

const nameIt = () => `hello-${randomUUID().slice(0, 8)}`;

/** A plugin whose answers say which version they are of. */
const speaking = (name: string, version: string, definition = '') =>
  packPlugin({
    name,
    version,
    definition: `${definition}
      access(kong) { kong.response.setHeader('x-version', '${version}'); }`,
  });

const publish = (artefact: unknown, query = '') => proxy.admin('POST', `/plugin-packages${query}`, artefact);

/** Version 1.0.0 of a package, configured on a route of its own. */
async function publishFirst(name = nameIt()) {
  expect((await publish(await speaking(name, '1.0.0'))).status).toBe(201);
  const exposed = await proxy.expose();
  const { id } = await proxy.write('POST', `/routes/${exposed.routeId}/plugins`, { name });
  return { name, pluginId: id as string, ...exposed };
}

const versionAt = async (host: string) => (await proxy.send(host)).header('x-version');

/** Keeps asking until it is told to stop; resolves to what was answered that was no 200, and how many were asked. */
function keepAsking(host: string, at: ProxyUnderTest = proxy) {
  const failures: unknown[] = [];
  let asked = 0;
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      asked++;
      await at.send(host).then(
        ({ status }) => status === 200 || failures.push(status),
        (error: unknown) => failures.push(String(error)),
      );
    }
  };
  const running = Promise.all([run(), run(), run()]);
  return {
    get asked() {
      return asked;
    },
    async stop() {
      isOver = true;
      await running;
      return failures;
    },
  };
}

describe('a published package', () => {
  it('offers its plugins at once, with their schemas and what they may reach', async () => {
    const name = nameIt();
    const artefact = await packPlugin({
      name,
      definition: `
        schema: s.config({ word: s.string({ default: 'hi' }) }),
        capabilities: { requestBody: true },
        access(kong, config) { kong.response.setHeader('x-word', config.word); }`,
    });
    const unseen = await proxy.admin('POST', '/plugins', { name });
    expect(unseen.status).toBe(400);

    const forecast = await publish(artefact, '?dry_run=true');
    expect(forecast.status).toBe(200);
    expect(forecast.body).toMatchObject({
      name,
      before: null,
      after: { plugins: [{ name, capabilities: { requestBody: true } }] },
    });
    expect((await proxy.admin('GET', `/plugin-packages/${name}`)).status).toBe(404);

    const published = await publish(artefact);
    expect(published.status).toBe(201);
    expect(published.body).toMatchObject({
      name,
      percent: 100,
      on_error: 'fail',
      problem: null,
      previous: null,
      active: {
        version: '1.0.0',
        digest: artefact.digest,
        plugins: [{ name, phases: ['access'], capabilities: { requestBody: true } }],
      },
      versions: [{ version: '1.0.0', digest: artefact.digest }],
    });
    const enabled = await proxy.write('GET', '/plugins/enabled');
    expect(enabled.enabled_plugins).toContain(name);
    const schema = await proxy.write('GET', `/schemas/plugins/${name}`);
    expect(JSON.stringify(schema)).toContain('word');

    const { host, routeId } = await proxy.expose();
    const refused = await proxy.admin('POST', `/routes/${routeId}/plugins`, { name, config: { word: 5 } });
    expect(refused.body.fields).toEqual({ config: { word: 'expected a string' } });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name, config: { word: 'ahoy' } });
    expect((await proxy.send(host)).header('x-word')).toBe('ahoy');
    const all = await proxy.write('GET', '/plugin-packages');
    expect(all.data.map((each: { name: string }) => each.name)).toContain(name);
  });

  it('serves its new version as soon as that is published, and the old one after a rollback, without a failed request', async () => {
    const { name, host } = await publishFirst();
    const traffic = keepAsking(host);
    expect(await versionAt(host)).toBe('1.0.0');
    expect((await publish(await speaking(name, '2.0.0'))).status).toBe(201);
    expect(await versionAt(host)).toBe('2.0.0');
    const back = await proxy.admin('POST', `/plugin-packages/${name}/rollback`);
    expect(back.body).toMatchObject({ active: { version: '1.0.0' }, previous: { version: '2.0.0' } });
    expect(await versionAt(host)).toBe('1.0.0');
    await proxy.write('POST', `/plugin-packages/${name}/rollback`);
    expect(await versionAt(host)).toBe('2.0.0');
    expect(traffic.asked).toBeGreaterThan(0);
    expect(await traffic.stop()).toEqual([]);
  });

  it('runs in a process of its own until the operator lets it into the workers, and back, without a failed request', async () => {
    const { name, host } = await publishFirst();
    const sandboxes = async () => {
      const { data } = await proxy.write('GET', '/sandbox');
      return data.filter((each: { package: string }) => each.package === name);
    };
    const apart = {
      isolation: 'process',
      process: { pid: expect.any(Number), rss_bytes: expect.any(Number) },
    };
    expect(await sandboxes()).toMatchObject([apart, apart]);
    const traffic = keepAsking(host);
    const moved = await proxy.admin('PATCH', `/plugin-packages/${name}`, { isolation: 'thread' });
    expect(moved.body).toMatchObject({ isolation: 'thread', active: { version: '1.0.0' } });
    await pollUntil('the lanes of before to go', sandboxes, (found) => found.length === 2);
    const inside = { isolation: 'thread', process: null };
    expect(await sandboxes()).toMatchObject([inside, inside]);
    expect(await versionAt(host)).toBe('1.0.0');
    await proxy.write('PATCH', `/plugin-packages/${name}`, { isolation: 'process' });
    expect(await versionAt(host)).toBe('1.0.0');
    expect(await traffic.stop()).toEqual([]);
    const refused = await proxy.admin('PATCH', `/plugin-packages/${name}`, { isolation: 'none' });
    expect(refused).toMatchObject({
      status: 400,
      body: { message: "isolation must be 'process' or 'thread'" },
    });
  });

  it('lets a request end in the version it has begun with', async () => {
    const name = nameIt();
    const version = (number: string) =>
      packPlugin({
        name,
        version: number,
        definition: `
          access(kong) { kong.ctx.shared['begun'] = '${number}'; },
          response(kong) { kong.response.setHeader('x-versions', kong.ctx.shared['begun'] + ' ${number}'); }`,
      });
    await publish(await version('1.0.0'));
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name });
    const slow = proxy.send(host, '/delay/1500');
    await pollUntil(
      'the request at the upstream',
      () => proxy.upstream.requestCount,
      (count) => count > 0,
    );
    expect((await publish(await version('2.0.0'))).status).toBe(201);
    expect((await proxy.send(host)).header('x-versions')).toBe('2.0.0 2.0.0');
    expect((await slow).header('x-versions')).toBe('1.0.0 1.0.0');
  });

  it('serves a part of the requests with its new version, as long as it is told to', async () => {
    const { name, host } = await publishFirst();
    expect((await publish(await speaking(name, '2.0.0'), '?percent=30')).body.percent).toBe(30);
    const count = async (requests: number) => {
      const seen = await Promise.all(Array.from({ length: requests }, () => versionAt(host)));
      return seen.filter((version) => version === '2.0.0').length / requests;
    };
    const share = await count(400);
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.5);
    await proxy.write('PATCH', `/plugin-packages/${name}`, { percent: 0 });
    expect(await count(40)).toBe(0);
    await proxy.write('PATCH', `/plugin-packages/${name}`, { percent: 100 });
    expect(await count(40)).toBe(1);
  });

  it('gives what is stored the defaults of its new version', async () => {
    const name = nameIt();
    const version = (number: string, field: string) =>
      packPlugin({
        name,
        version: number,
        definition: `
          schema: s.config({ ${field} }),
          access(kong, config) { kong.response.setHeader('x-config', JSON.stringify(config)); }`,
      });
    await publish(await version('1.0.0', `a: s.string({ default: 'x' })`));
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name });
    const next = await version('2.0.0', `a: s.string({ default: 'x' }), b: s.string({ default: 'y' })`);
    expect((await publish(next)).status).toBe(201);
    expect((await proxy.send(host)).header('x-config')).toBe('{"a":"x","b":"y"}');
    // What is written now has the field that the version before does not know.
    const late = await proxy.expose();
    await proxy.write('POST', `/routes/${late.routeId}/plugins`, { name });
    expect((await proxy.admin('POST', `/plugin-packages/${name}/rollback`)).status).toBe(200);
  });

  it('can be removed when nobody has configured it', async () => {
    const { name, pluginId } = await publishFirst();
    const refused = await proxy.admin('DELETE', `/plugin-packages/${name}`);
    expect([refused.status, refused.body.broken[0].id]).toEqual([409, pluginId]);
    await proxy.write('DELETE', `/plugins/${pluginId}`);
    await proxy.write('DELETE', `/plugin-packages/${name}`);
    expect((await proxy.write('GET', '/plugins/enabled')).enabled_plugins).not.toContain(name);
    expect((await proxy.admin('GET', `/schemas/plugins/${name}`)).status).toBe(404);
  });
});

describe('a package is refused, and the one before goes on serving,', () => {
  it.each([
    ['that throws when it is loaded', `throw new Error('not today');`, /it does not load: .*not today/],
    ['that never ends loading', 'for (;;);', /it does not load: timeout/],
    [
      'that eats up memory when it is loaded',
      'const all: unknown[] = []; for (;;) all.push(new Array(1e5).fill(all.length));',
      /does not load|ended the process/,
    ],
  ])('%s', async (_, head, problem) => {
    const { name, host } = await publishFirst();
    const good = await speaking(name, '2.0.0');
    const code = `(function () { ${head.replace(': unknown[]', '')} })();\n${good.code}`;
    const refused = await publish(sealArtefact({ ...good, code }));
    expect(refused.status).toBe(400);
    expect(refused.body.message).toMatch(problem);
    expect(await versionAt(host)).toBe('1.0.0');
    expect((await proxy.write('GET', `/plugin-packages/${name}`)).versions).toHaveLength(1);
  });

  it('whose self-test fails', async () => {
    const { name, host } = await publishFirst();
    const test = (body: string) => speaking(name, '2.0.0', `selfTest() { ${body} },`);
    const refused = await publish(await test(`throw new Error('two is not one');`));
    expect(refused.status).toBe(400);
    expect(refused.body.message).toMatch(/its self-test fails: .*two is not one/);
    const endless = await publish(await test('for (;;);'));
    expect(endless.body.message).toMatch(/its self-test fails: timeout/);
    expect(await versionAt(host)).toBe('1.0.0');
    expect((await publish(await test(''))).status).toBe(201);
    expect(await versionAt(host)).toBe('2.0.0');
  });

  it('that asks for more than its manifest shows', async () => {
    const name = nameIt();
    const shown = await speaking(name, '1.0.0');
    const real = await speaking(name, '1.0.0', 'capabilities: { requestBody: true },');
    const refused = await publish(sealArtefact({ ...shown, code: real.code }));
    expect([refused.status, refused.body.message]).toEqual([
      400,
      'the package is refused: it does not describe itself as in its manifest',
    ]);
  });

  it('that has been changed on the way', async () => {
    const artefact = await speaking(nameIt(), '1.0.0');
    const refused = await publish({ ...artefact, code: `${artefact.code}\n` });
    expect([refused.status, refused.body.message]).toEqual([
      400,
      expect.stringMatching(/^digest does not match/),
    ]);
  });

  it.each([[{}], [{ format: 1 }], [{ format: 1, name: 'a', version: '1.0.0', manifest: null, code: 'x' }]])(
    'that is none: %j',
    async (document) => {
      const refused = await publish(document);
      expect([refused.status, typeof refused.body.message]).toEqual([400, 'string']);
    },
  );

  it('that takes the name of a plugin of somebody else', async () => {
    const bundled = await publish(await speaking('key-auth', '1.0.0'));
    expect([bundled.status, bundled.body.message]).toEqual([
      409,
      "the plugin name 'key-auth' belongs to the gateway",
    ]);
    const { name } = await publishFirst();
    const other = await publish(await speaking(`@other/${name}`, '1.0.0'));
    expect([other.status, other.body.message]).toEqual([
      409,
      `the plugin name '${name}' belongs to another package`,
    ]);
  });

  it('that names metrics as the gateway names its own', async () => {
    const metrics = `metrics: { tollgate_sandbox_strikes_total: { type: 'counter', help: 'h', labels: [] } },`;
    const refused = await publish(await speaking(nameIt(), '1.0.0', metrics));
    expect([refused.status, refused.body.message]).toEqual([
      409,
      "the metric 'tollgate_sandbox_strikes_total' belongs to the gateway",
    ]);
  });

  it('whose patterns could keep the control process busy', async () => {
    const patterned = (name: string, match: string) =>
      packPlugin({
        name,
        definition: `schema: s.config({ text: s.string({ match: ${JSON.stringify(match)}, default: '${'a'.repeat(60)}!' }) }),
          access() {}`,
      });
    const refused = await publish(await patterned(nameIt(), '^(a*)*\\1$'));
    expect([refused.status, refused.body.message]).toEqual([
      400,
      expect.stringMatching(/schema\.text\.match is no regular expression that runs in linear time$/),
    ]);
    const name = nameIt();
    expect((await publish(await patterned(name, '^(a+)+$'))).status).toBe(201);
    const configured = await proxy.admin('POST', '/plugins', { name });
    expect([configured.status, configured.body.name]).toEqual([400, 'schema violation']);
  });

  it('that breaks stored configurations, with the list of them', async () => {
    const { name, host, pluginId } = await publishFirst();
    const next = await speaking(name, '2.0.0', 'schema: s.config({ must: s.string({ required: true }) }),');
    const refused = await publish(next);
    expect(refused.status).toBe(409);
    expect(refused.body).toEqual({
      message: '1 stored configurations do not fit this version',
      broken: [{ id: pluginId, name, fields: { config: { must: 'required field missing' } } }],
    });
    expect(await versionAt(host)).toBe('1.0.0');
  });

  it('with a share of the traffic that is none', async () => {
    const artefact = await speaking(nameIt(), '1.0.0');
    for (const query of ['?percent=101', '?percent=', '?percent=1.5', '?percent=x', '?on_error=panic']) {
      expect((await publish(artefact, query)).status).toBe(400);
    }
  });
});

describe('a package that misbehaves', () => {
  const misbehaving = (name: string) =>
    packPlugin({
      name,
      definition: `access(kong) {
        if (kong.request.getHeader('x-loop') !== undefined) for (;;);
        if (kong.request.getHeader('x-throw') !== undefined) throw new Error('thrown on purpose');
        kong.response.setHeader('x-version', '1');
      }`,
    });

  /** On a gateway of its own, with one worker. */
  async function startMisbehaving(query: string) {
    const own = await startProxy({ TOLLGATE_PLUGIN_TIMEOUT_MS: '50' });
    onTestFinished(() => own.stop());
    const name = nameIt();
    await own.write('POST', `/plugin-packages${query}`, await misbehaving(name));
    const { host, routeId } = await own.expose();
    await own.write('POST', `/routes/${routeId}/plugins`, { name });
    const other = await own.expose();
    const ask = async () => {
      const { status, header } = await own.send(host);
      return [status, header('x-version')];
    };
    const find = async () => {
      const { data } = await own.write('GET', '/sandbox');
      return data.find((each: { package: string }) => each.package === name);
    };
    return { own, name, host, other, ask, find };
  }

  it.each([
    ['fails', '', [500, undefined]],
    ['is passed over', '?on_error=skip', [200, undefined]],
  ])(
    'is put into quarantine, where it %s, and let out again',
    async (_, query, expected) => {
      const { own, host, other, ask, find, name } = await startMisbehaving(query);
      expect(await ask()).toEqual([200, '1']);
      expect(await find()).toMatchObject({ worker: 0, version: '1.0.0', state: 'serving', strikes: 0 });
      await pollUntil(
        'whether it is in quarantine',
        async () => {
          await own.send(host, '/', { headers: { 'x-loop': '1' } });
          expect((await own.send(other.host)).status).toBe(200);
          return (await find()).state;
        },
        (state) => state === 'quarantined',
      );
      expect(await ask()).toEqual(expected);
      const metrics = await (await fetch(`${own.gateway.statusUrl}/metrics`)).text();
      expect(metrics).toContain(`tollgate_sandbox_quarantined{worker="0",package="${name}"} 1`);
      expect(own.gateway.output()).toContain('a package is in quarantine');
      await pollUntil(
        'the answer after the quarantine',
        ask,
        ([status, version]) => status === 200 && version === '1',
      );
      expect((await find()).state).toBe('serving');
    },
    90_000,
  );

  /** A plugin that asks V8 for more than there is, which ends the process it runs in. */
  const ending = (name: string) =>
    packPlugin({
      name,
      definition: `access(kong) {
        if (kong.request.getHeader('x-kill') !== undefined) 'x'.repeat(2 ** 28).split('');
      }`,
    });

  async function exposeEnding(own: ProxyUnderTest, query: string) {
    const name = nameIt();
    expect((await own.admin('POST', `/plugin-packages${query}`, await ending(name))).status).toBe(201);
    const { host, routeId } = await own.expose();
    await own.write('POST', `/routes/${routeId}/plugins`, { name });
    const other = await own.expose();
    const statusOf = (at: string, headers = {}) =>
      own.send(at, '/', { headers }).then(
        ({ status }) => status,
        () => undefined,
      );
    const stateOf = async () => {
      const { data } = await own.write('GET', '/sandbox');
      const found = data.filter((each: { package: string }) => each.package === name);
      return found.map(({ state }: { state: string }) => state).join();
    };
    return { name, host, other: other.host, statusOf, stateOf };
  }

  it('ends nothing but its own process, and is not let run for doing so again and again', async () => {
    const own = await startProxy({ TOLLGATE_WORKERS: '1' });
    onTestFinished(() => own.stop());
    const { name, host, other, statusOf, stateOf } = await exposeEnding(own, '');
    const { pids } = await own.write('GET', '/');
    const bystander = keepAsking(other, own);
    for (let time = 0; time < 3; time++) expect(await statusOf(host, { 'x-kill': '1' })).toBe(500);
    expect(await bystander.stop()).toEqual([]);
    expect(bystander.asked).toBeGreaterThan(10);
    expect(await stateOf()).toBe('quarantined');
    expect((await own.write('GET', '/')).pids).toEqual(pids);
    expect(own.gateway.output()).not.toContain('the data plane ended');

    const good = await packPlugin({ name, version: '1.0.1', definition: 'access() {}' });
    await own.write('POST', '/plugin-packages', good);
    expect(await statusOf(host)).toBe(200);
  }, 90_000);

  it('cannot take the data plane with it a second time where it was let into the workers', async () => {
    const own = await startProxy({ TOLLGATE_WORKERS: '2' });
    onTestFinished(() => own.stop());
    const { name, host, other, statusOf, stateOf } = await exposeEnding(own, '?isolation=thread');
    await statusOf(host, { 'x-kill': '1' });
    await pollUntil(
      'the answer on another route',
      () => statusOf(other),
      (status) => status === 200,
    );
    expect(await statusOf(host, { 'x-kill': '1' })).toBe(500);
    for (let again = 0; again < 20; again++) expect(await statusOf(other)).toBe(200);
    await pollUntil('what both workers do with it', stateOf, (states) => states === 'suspended,suspended');
    const ends = own.gateway.output().split('the data plane ended').length - 1;
    expect(ends).toBeLessThanOrEqual(1);

    const good = await packPlugin({ name, version: '1.0.1', definition: 'access() {}' });
    await own.write('POST', '/plugin-packages', good);
    expect(await statusOf(host)).toBe(200);
  }, 90_000);

  it('is told apart by plugin and phase in what it costs, and may not use a CPU for itself', async () => {
    const own = await startProxy({ TOLLGATE_WORKERS: '1', TOLLGATE_PLUGIN_CPU_MS: '100' });
    onTestFinished(() => own.stop());
    const name = nameIt();
    const greedy = await packPlugin({
      name,
      definition: `access() { const until = Date.now() + 10; while (Date.now() < until); }`,
    });
    expect((await own.admin('POST', '/plugin-packages', greedy)).status).toBe(201);
    const { host, routeId } = await own.expose();
    await own.write('POST', `/routes/${routeId}/plugins`, { name });
    await own.send(host);
    const metrics = await (await fetch(`${own.gateway.statusUrl}/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(`tollgate_plugin_cpu_seconds_total\\{plugin="${name}",phase="access"\\} 0\\.`),
    );
    expect(metrics).toMatch(/tollgate_sandbox_heap_bytes\{worker="0",package="bundled"\} \d{6}/);
    const other = await own.expose();
    const [greed, bystander] = [keepAsking(host, own), keepAsking(other.host, own)];
    await pollUntil(
      'the quarantine',
      () => own.write('GET', '/sandbox'),
      ({ data }) =>
        data.some(
          (each: { package: string; state: string }) => each.package === name && each.state === 'quarantined',
        ),
    );
    expect((await greed.stop()).every((status) => status === 500)).toBe(true);
    expect(await bystander.stop()).toEqual([]);
    expect(own.gateway.output()).toContain('a package uses more than 100 ms of CPU a second');
  }, 90_000);

  it('cannot keep a node from being stopped by holding up its worker', async () => {
    const own = await startProxy({ TOLLGATE_PLUGIN_TIMEOUT_MS: '60000', TOLLGATE_SHUTDOWN_TIMEOUT: '1' });
    const name = nameIt();
    const endless = await packPlugin({ name, definition: 'access() { for (;;); }' });
    expect((await own.admin('POST', '/plugin-packages?isolation=thread', endless)).status).toBe(201);
    const { host, routeId } = await own.expose();
    await own.write('POST', `/routes/${routeId}/plugins`, { name });
    const { pids } = await own.write('GET', '/');
    const hanging = own.send(host).catch(() => undefined);
    await pollUntil(
      'the worker to hang',
      () => Promise.race([own.send('nowhere.test').then(() => 'serves'), delay(500).then(() => 'hangs')]),
      (state) => state === 'hangs',
    );
    await own.stop();
    await hanging;
    expect(existsSync(`/proc/${pids.workers[0]}`)).toBe(false);
  }, 60_000);

  it('is blamed in the log by the file and line of its author', async () => {
    const artefact = await misbehaving(nameIt());
    await publish(artefact);
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: artefact.name });
    expect((await proxy.send(host, '/', { headers: { 'x-throw': '1' } })).status).toBe(500);
    await pollUntil(
      'the log',
      () => proxy.gateway.output(),
      (output) => /thrown on purpose/.test(output) && /at .*index\.ts:\d+:\d+/.test(output),
    );
  });
});

describe('the command line', () => {
  const CLI = fileURLToPath(new URL('../../core/cli.ts', import.meta.url));
  const tollgate = async (...args: string[]) => {
    const child = spawn(process.execPath, [CLI, 'plugin', ...args], { env: { PATH: process.env['PATH'] } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [status] = await once(child, 'close');
    return { status, output };
  };

  it('publishes what was packed, lists it and takes it back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-publishing-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const name = nameIt();
    const at = ['--admin-url', proxy.gateway.adminUrl];
    const pack = async (version: string) => {
      const file = join(folder, `${version}.json`);
      writeFileSync(file, JSON.stringify(await speaking(name, version)));
      return file;
    };
    expect(await tollgate('publish', await pack('1.0.0'), ...at, '--dry-run')).toEqual({
      status: 0,
      output: `${name} 1.0.0 could be published\n  plugin ${name} 1.0.0: no capabilities\n`,
    });
    expect((await tollgate('publish', await pack('1.0.0'), ...at)).output).toContain(`${name} 1.0.0\n`);
    const second = await tollgate('publish', await pack('2.0.0'), ...at, '--percent', '20');
    expect(second.output).toContain(`${name} 2.0.0, 20 % of the requests, before it 1.0.0\n`);
    expect((await tollgate('list', ...at)).output).toContain(`${name} 2.0.0, 20 %`);
    const [, first] = (await tollgate('list', name, ...at)).output.split('versions:\n');
    expect(first).toMatch(/^ {2}2\.0\.0 [0-9a-f]{12}, in use\n {2}1\.0\.0 [0-9a-f]{12}\n$/);
    const back = await tollgate('rollback', name, ...at);
    expect(back.output).toContain(`${name} 1.0.0, 100 % of the requests, before it 2.0.0\n`);
  }, 60_000);

  it('says what is wrong', async () => {
    const at = ['--admin-url', proxy.gateway.adminUrl];
    expect(await tollgate('rollback', 'unheard-of', ...at)).toEqual({
      status: 1,
      output: "tollgate: No plugin package named 'unheard-of'\n",
    });
    expect((await tollgate('publish', '/does/not/exist', ...at)).output).toBe(
      'tollgate: there is no /does/not/exist\n',
    );
    const nobody = await tollgate('list', '--admin-url', 'http://127.0.0.1:1');
    expect([nobody.status, nobody.output]).toEqual([1, expect.stringMatching(/no gateway answers at/)]);
    expect((await tollgate('publish')).status).toBe(2);
  }, 60_000);
});

describe('many versions', () => {
  it('come and go under load without a failed request, and leave nothing behind', async () => {
    const { name, host } = await publishFirst();
    const versions = await Promise.all(Array.from({ length: 4 }, (_, at) => speaking(name, `1.0.${at + 1}`)));
    const { pids } = await proxy.write('GET', '/');
    const residentMb = () => {
      const status = readFileSync(`/proc/${pids.workers[0]}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    };
    const traffic = keepAsking(host);
    // By then every kind of memory has been used that a swap uses.
    let atFirstMb = 0;
    for (let swap = 0; swap < 50; swap++) {
      const artefact = versions[swap % versions.length];
      expect((await publish(artefact)).status).toBe(201);
      expect(await versionAt(host)).toBe(artefact?.version);
      if (swap === 10) atFirstMb = residentMb();
    }
    expect(await traffic.stop()).toEqual([]);
    expect(traffic.asked).toBeGreaterThan(100);
    expect((await proxy.write('GET', `/plugin-packages/${name}`)).versions).toHaveLength(5);
    const { data } = await proxy.write('GET', '/sandbox');
    const isolates = data.filter((each: { package: string }) => each.package === name);
    expect(isolates.map(({ worker }: { worker: number }) => worker)).toEqual([0, 1]);
    expect(residentMb() - atFirstMb).toBeLessThan(150);
  }, 180_000);
});
