/** The kit that authors test their plugins with: it shows what a gateway would make of a request, and says what failed. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPlugin, type PluginKit } from '@tollgate/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const FIXTURES = new URL('./fixtures/', import.meta.url);
const BUDGET = new URL('budget.ts', FIXTURES);
const LIMIT = { limit: 2 };

describe('a plugin in the kit', () => {
  let kit: PluginKit;

  beforeAll(async () => {
    kit = await loadPlugin(BUDGET, { timeoutMs: 300 });
  });

  afterAll(() => kit?.close());

  /** A window that nobody has counted in yet. */
  const enterNewWindow = () => kit.clock.advance(60_000);

  it('lets a request on, with what it changes of it and of the answer', async () => {
    enterNewWindow();
    const report = await kit.access(
      { method: 'POST', path: '/lower?a=1', headers: { 'x-do': 'body', 'X-Two': ['a', 'b'] }, body: 'žluť' },
      LIMIT,
    );
    expect(report.exit).toBeUndefined();
    const { method, path, query, body, headers } = report.serviceRequest;
    expect({ method, path, query, body }).toEqual({
      method: 'PUT',
      path: '/upper',
      query: 'a=1',
      body: 'ŽLUŤ',
    });
    expect(headers.get('x-who')).toBe('nobody');
    expect(headers.get('x-two')).toBe('a, b');
    expect(report.response.headers.get('x-used')).toBe('0');
    expect(report.shared).toEqual({ used: 0 });
  });

  it('answers in place of the service once its budget is used, counted in memory', async () => {
    enterNewWindow();
    const request = { consumer: { username: 'alice' } };
    const reports = await Promise.all([1, 2, 3].map(() => kit.access(request, LIMIT)));
    expect(reports.map(({ exit }) => exit?.status)).toEqual([undefined, undefined, 429]);
    const exit = reports[2]?.exit;
    expect(JSON.parse(exit?.body ?? '')).toEqual({ message: 'enough' });
    expect(exit?.headers.get('retry-after')).toBe('60');
    expect(reports[2]?.metrics).toEqual([
      { name: 'budget_refusals_total', labels: { who: 'alice' }, value: 1 },
      { name: 'budget_use', labels: {}, value: 2, count: 1 },
    ]);
    const startMs = Math.floor(kit.clock.now() / 60_000) * 60_000;
    expect(kit.counters.read(`budget:alice:${startMs}`)).toBe(2);
    enterNewWindow();
    expect((await kit.access(request, LIMIT)).exit).toBeUndefined();
  });

  it('sees the clock of the test, from the moment it is loaded', async () => {
    const other = await loadPlugin(BUDGET, { nowMs: Date.UTC(2030, 5, 1) });
    other.clock.advance(1500);
    const { log } = await other.access({}, LIMIT);
    other.close();
    expect(log).toEqual([{ level: 'info', message: 'used 0 at 2030-06-01T00:00:01.500Z after 1500' }]);
  });

  it('finds the rows of the test, and none that are taken out again', async () => {
    enterNewWindow();
    kit.rows.put('consumers', { id: 'c1', username: 'bob', custom_id: null });
    kit.rows.put('keyauth_credentials', { id: 'k1', key: 'open', consumer: { id: 'c1' } });
    const request = { headers: { apikey: 'open' } };
    const found = await kit.access(request, LIMIT);
    expect([found.consumer?.username, found.credential?.id]).toEqual(['bob', 'k1']);
    kit.rows.remove('keyauth_credentials', 'k1');
    expect((await kit.access(request, LIMIT)).exit).toMatchObject({
      status: 401,
      body: expect.stringContaining('no such key'),
    });
  });

  it('learns of a store that cannot be asked', async () => {
    enterNewWindow();
    const config = { ...LIMIT, shared: true };
    kit.counters.fail('redis', 'connection lost');
    await expect(kit.access({}, config)).rejects.toThrow('connection lost');
    kit.counters.fail('redis', undefined);
    expect((await kit.access({}, config)).exit).toBeUndefined();
  });

  it('goes through a whole request', async () => {
    enterNewWindow();
    const report = await kit.request({}, LIMIT, {
      status: 201,
      headers: { 'X-From': 'service' },
      body: 'made',
    });
    expect(report.exit).toBeUndefined();
    expect(report.serviceRequest?.method).toBe('GET');
    expect([report.response.status, report.response.body]).toEqual([201, 'made']);
    expect(Object.fromEntries(report.response.headers)).toEqual({
      'x-from': 'service',
      'x-seen': 'service 0',
      'x-used': '0',
    });
    expect(report.log.map(({ level }) => level)).toEqual(['info', 'notice']);
    expect(report.log[1]?.message).toBe('status 201');
  });

  it('goes through its later phases although it has answered itself', async () => {
    enterNewWindow();
    const config = { limit: 1 };
    await kit.request({}, config);
    const report = await kit.request({}, config);
    expect([report.response.status, report.serviceRequest]).toEqual([429, undefined]);
    expect(report.response.headers.get('x-seen')).toBe('exit 1');
    expect(report.log.at(-1)?.message).toBe('status 429');
  });

  it('runs one phase alone', async () => {
    const hidden = await kit.response({ shared: { used: 7 } }, LIMIT, {
      body: 'secret',
      headers: { a: 'b' },
    });
    expect(hidden.exit).toMatchObject({ status: 502, body: 'hidden' });
    expect(Object.fromEntries(hidden.response.headers)).toEqual({ a: 'b', 'x-seen': 'service 7' });
    const { log } = await kit.log({}, LIMIT, { status: 418 });
    expect(log).toEqual([{ level: 'notice', message: 'status 418' }]);
  });

  it('gets its configuration completed and refused as by the Admin API', async () => {
    expect(kit.complete(LIMIT)).toEqual({ limit: 2, shared: false });
    await expect(kit.access({}, {})).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: 'schema violation (config.limit: required field missing)',
      fields: { config: { limit: 'required field missing' } },
    });
    await expect(kit.access({}, { limit: 101, colour: 'red' })).rejects.toThrow(
      '2 schema violations (config.colour: unknown field; config.limit: value should be between 1 and 100)',
    );
  });

  it.each([
    ['access', 'throw'],
    ['response', 'throw later'],
    ['log', 'throw last'],
  ])('fails in %s with the file and the line of its author', async (phase, does) => {
    enterNewWindow();
    const failure = await kit.request({ headers: { 'x-do': does } }, LIMIT).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'PluginFailure',
      phase,
      reason: 'error',
      message: 'RangeError: boom',
    });
    const { stack = '' } = failure as Error;
    expect(stack).toContain(`at explode (${fileURLToPath(BUDGET)}:9:9)`);
    expect(stack.split('\n')[2]).toContain(`${fileURLToPath(BUDGET)}:`);
    expect(stack).not.toContain('plugin.js');
  });

  it('is stopped when it does not end, and can be used on', async () => {
    enterNewWindow();
    await expect(kit.access({ headers: { 'x-do': 'loop' } }, LIMIT)).rejects.toMatchObject({
      reason: 'timeout',
    });
    expect((await kit.access({}, LIMIT)).exit).toBeUndefined();
  });

  it('shows what it says of itself', () => {
    expect(kit.manifest).toMatchObject({
      name: 'budget',
      version: '1.2.3',
      phases: ['access', 'response', 'log'],
    });
  });
});

describe('a plugin that asks other servers', () => {
  let kit: PluginKit;

  beforeAll(async () => {
    kit = await loadPlugin(new URL('asking.ts', FIXTURES));
  });

  afterAll(() => kit?.close());

  const config = { server: 'https://score.example' };

  it('gets the answers of the test, which sees what was asked', async () => {
    kit.servers.answer('https://score.example/v1/score', ({ body }) =>
      body === 'čí jsem' ? { status: 404, headers: { 'X-Why': 'unknown' }, body: 'není' } : {},
    );
    const { exit } = await kit.access({}, config);
    expect([exit?.status, exit?.body, exit?.headers.get('x-why')]).toEqual([403, 'není', 'unknown']);
    expect(kit.servers.requests).toMatchObject([
      { method: 'POST', url: 'https://score.example/v1/score?of=me', body: 'čí jsem' },
    ]);
    expect(kit.servers.requests[0]?.headers.get('a')).toBe('b');
    kit.servers.answer('https://score.example/v1/score', {});
    expect((await kit.access({}, config)).exit).toBeUndefined();
  });

  it('gets none where nobody answers, nor from servers that it does not list', async () => {
    kit.servers.answer('https://score.example/v1/score', () => {
      throw new Error('connection refused');
    });
    await expect(kit.access({}, config)).rejects.toThrow('connection refused');
    const sent = kit.servers.requests.length;
    await expect(kit.access({}, { server: 'https://evil.example' })).rejects.toThrow(
      "the manifest does not list the origin 'https://evil.example'",
    );
    expect(kit.servers.requests).toHaveLength(sent);
  });
});

describe('the kit', () => {
  it('refuses a plugin that needs Node.js, naming the line', async () => {
    await expect(loadPlugin(new URL('reading-files.ts', FIXTURES))).rejects.toThrow(
      /reading-files\.ts:\d+:\d+: .*there is no Node\.js inside an isolate/,
    );
  });

  it('refuses a plugin that needs a package which is not there', async () => {
    await expect(loadPlugin(new URL('missing-package.ts', FIXTURES))).rejects.toThrow(
      /missing-package\.ts:\d+:\d+: Could not resolve "not-there"; is it among the dependencies/,
    );
  });

  it('shows the line of a module that fails while it is loaded', async () => {
    const module = new URL('throwing-early.ts', FIXTURES);
    await expect(loadPlugin(module)).rejects.toMatchObject({
      name: 'PluginFailure',
      phase: 'load',
      reason: 'error',
      stack: expect.stringContaining(`${fileURLToPath(module)}:4:21`),
    });
  });

  it('takes a folder for its index.ts, with or without a slash', async () => {
    for (const folder of ['../../plugins/example', '../../plugins/example/']) {
      const kit = await loadPlugin(new URL(folder, import.meta.url));
      expect(kit.manifest.name).toBe('require-header');
      kit.close();
    }
  });

  it.each(['budget', 'background'])('works from node:test: %s', (name) => {
    const { status, stdout } = spawnSync(process.execPath, ['--test', `${name}.node-test.ts`], {
      cwd: dirname(fileURLToPath(BUDGET)),
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect(stdout).toContain('pass 1');
    expect(status).toBe(0);
  });
});
