/** What plugins do while bodies pass and when nothing is requested, in the kit that their authors test them with. */
import { fileURLToPath } from 'node:url';
import { loadPlugin, type PluginKit } from '@tollgate/sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const FIXTURES = new URL('./fixtures/', import.meta.url);
const STREAM = { 'content-type': 'text/event-stream' };

let kit: PluginKit;
afterEach(() => kit?.close());

const messagesOf = ({ log }: { readonly log: readonly { readonly message: string }[] }) =>
  log.map(({ message }) => message.split('\n')[0]);

describe('a body', () => {
  beforeEach(async () => {
    kit = await loadPlugin(new URL('token-counter.ts', FIXTURES));
  });

  it('comes out of its transformer piece by piece, whatever it was cut into', async () => {
    const { response, metrics } = await kit.request({}, undefined, {
      headers: { ...STREAM, 'content-length': '57' },
      body: [
        'data: a\n\n',
        'data: the sec',
        'ret word\n\nda',
        Buffer.from('ta: 東').subarray(0, 5),
        Buffer.from('東').subarray(1),
        '\n\n',
      ],
    });
    expect(response.pieces).toEqual([
      'data: a\n\n',
      'data: the *** word\n\n',
      'data: 東\n\n',
      'event: usage\ndata: 3\n\n',
    ]);
    expect(response.body).toBe(response.pieces.join(''));
    expect(response.headers.has('content-length')).toBe(false);
    expect(metrics).toEqual([{ name: 'tokens_total', labels: {}, value: 3 }]);
  });

  it('reaches the service as it was transformed, in chunks', async () => {
    const asked: unknown[] = [];
    const { serviceRequest } = await kit.request(
      { method: 'POST', body: ['tell ', '', 'me'] },
      undefined,
      (request) => {
        asked.push(request.pieces);
        return {};
      },
    );
    expect(asked).toEqual([['TELL ', 'ME']]);
    expect(serviceRequest?.body).toBe('TELL ME');
    expect(serviceRequest?.headers.get('transfer-encoding')).toBe('chunked');
    expect(serviceRequest?.headers.has('content-length')).toBe(false);
  });

  it('passes untouched where its plugin has nothing to do to it', async () => {
    const answer = { headers: { 'content-length': '2', 'content-type': 'text/plain' }, body: ['o', 'k'] };
    const { response, serviceRequest } = await kit.request({}, undefined, answer);
    expect([response.pieces, response.headers.get('content-length')]).toEqual([['o', 'k'], '2']);
    expect(serviceRequest?.headers.has('transfer-encoding')).toBe(false);
  });

  it.each([
    [{ method: 'HEAD' }, { headers: STREAM }],
    [{}, { status: 204, headers: STREAM }],
    [{}, { status: 304, headers: STREAM }],
  ])('is nobody asked about where there can be none: %j %j', async (request, answer) => {
    expect((await kit.request(request, undefined, answer)).response.body).toBe('');
  });

  it('is cut into pieces of 16 KiB where it arrives in larger ones', async () => {
    const { serviceRequest } = await kit.request({ method: 'POST', body: 'x'.repeat(40_000) });
    expect(serviceRequest?.pieces.map(({ length }) => length)).toEqual([16_384, 16_384, 7232]);
  });

  it.each([
    ['transformRequest', 'throw', 'Error: no prompt today', 12],
    ['transformResponse', 'throw later', 'RangeError: boom', 23],
  ])('fails in %s with the line of its author', async (phase, does, message, line) => {
    const request = { method: 'POST', headers: { 'x-do': does }, body: 'a' };
    const failed = kit.request(request, undefined, { headers: STREAM, body: ['data: a\n', 'data: boom\n'] });
    await expect(failed).rejects.toMatchObject({
      name: 'PluginFailure',
      phase,
      reason: 'error',
      message,
      stack: expect.stringContaining(`${fileURLToPath(new URL('token-counter.ts', FIXTURES))}:${line}:`),
    });
    expect((await kit.request({ method: 'POST', body: 'b' })).serviceRequest?.body).toBe('B');
  });
});

describe('a queue', () => {
  const COLLECTOR = 'https://logs.example/batch';
  const config = { collector: COLLECTOR };

  beforeEach(async () => {
    kit = await loadPlugin(new URL('log-shipper.ts', FIXTURES));
    kit.servers.answer(COLLECTOR, {});
  });

  const shipped = () => kit.servers.requests.map(({ body }) => (JSON.parse(body) as unknown[]).length);

  it('keeps its entries until the first has waited long enough', async () => {
    for (const path of ['/a', '/b', '/c']) await kit.request({ path }, config);
    expect([kit.queued, shipped()]).toEqual([3, []]);
    expect(messagesOf(await kit.elapse(999))).toEqual([]);
    const report = await kit.elapse(1);
    expect([kit.queued, shipped()]).toEqual([0, [3]]);
    expect(JSON.parse(kit.servers.requests[0]?.body ?? '')).toMatchObject([
      { uri: '/a' },
      { uri: '/b' },
      { uri: '/c' },
    ]);
    expect(messagesOf(report)).toEqual(['shipped 3 at 2026-01-01T00:00:01.000Z']);
    expect(report.metrics).toEqual([{ name: 'shipped_total', labels: {}, value: 3 }]);
  });

  it('hands them over at once when there are enough of them', async () => {
    const few = { ...config, queue: { max_batch_size: 2 } };
    await kit.request({}, few);
    const { log } = await kit.request({}, few);
    expect(log.map(({ message }) => message)).toEqual(['shipped 2 at 2026-01-01T00:00:00.000Z']);
    expect(shipped()).toEqual([2]);
  });

  it('tries again, ever later, and gives up in the end', async () => {
    const impatient = { ...config, queue: { initial_retry_delay: 1, max_retry_delay: 4, max_retry_time: 9 } };
    kit.servers.answer(COLLECTOR, { status: 503 });
    await kit.request({}, impatient);
    const report = await kit.elapse(10_000);
    const failed = 'onBatch failed: Error: the collector answered with 503';
    expect(messagesOf(report)).toEqual([
      failed,
      failed,
      failed,
      failed,
      expect.stringMatching(/^1 entries of the queue of .* dropped: given up after 9 s: /),
    ]);
    expect(shipped()).toEqual([1, 1, 1, 1]);
    expect(report.log[0]?.message).toContain(`${fileURLToPath(new URL('log-shipper.ts', FIXTURES))}:22:`);
  });

  it('comes through once its server is back', async () => {
    const patient = { ...config, queue: { max_batch_size: 1, initial_retry_delay: 1 } };
    kit.servers.answer(COLLECTOR, () => {
      throw new Error('connection refused');
    });
    await kit.request({}, patient);
    await kit.elapse(2000);
    expect(kit.queued).toBe(1);
    kit.servers.answer(COLLECTOR, {});
    const report = await kit.elapse(1000);
    expect([kit.queued, messagesOf(report)]).toEqual([0, ['shipped 1 at 2026-01-01T00:00:03.000Z']]);
  });

  it('does not notice that somebody sets the clock', async () => {
    await kit.request({}, config);
    kit.clock.advance(3_600_000);
    expect([kit.queued, shipped()]).toEqual([1, []]);
    const report = await kit.elapse(1000);
    expect(messagesOf(report)).toEqual(['shipped 1 at 2026-01-01T01:00:01.000Z']);
  });
});

describe('a timer', () => {
  it('runs as time goes by, and sees it', async () => {
    kit = await loadPlugin(new URL('log-shipper.ts', FIXTURES));
    const report = await kit.elapse(150_000, { collector: 'https://logs.example/' });
    expect(messagesOf(report)).toEqual([
      'configured for https://logs.example/',
      '1 at 2026-01-01T00:01:00.000Z',
      '1 at 2026-01-01T00:02:00.000Z',
    ]);
    expect(messagesOf(await kit.elapse(30_000))).toEqual(['1 at 2026-01-01T00:03:00.000Z']);
    expect(kit.clock.now()).toBe(Date.UTC(2026, 0, 1, 0, 3));
  });
});

describe('a plugin that wants to know of configurations', () => {
  beforeEach(async () => {
    kit = await loadPlugin(new URL('log-shipper.ts', FIXTURES));
  });

  it('hears of each that is another', async () => {
    const heard = [];
    for (const name of ['a', 'a', 'b']) {
      const { log } = await kit.access({}, { collector: `https://logs.example/${name}` });
      heard.push(log.map(({ message }) => message));
    }
    expect(heard).toEqual([
      ['configured for https://logs.example/a'],
      [],
      ['configured for https://logs.example/b'],
    ]);
  });

  it('fails the call when it throws', async () => {
    const failed = kit.access({}, { collector: 'https://logs.example/nowhere' });
    await expect(failed).rejects.toMatchObject({ phase: 'configure', message: 'Error: no such collector' });
  });
});
