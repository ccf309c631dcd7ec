/** Plugins that transform bodies as they pass, in a gateway with a real upstream. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { packPlugin } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { openAnswer } from './support/send-request.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_PLUGIN_TIMEOUT_MS: '200', TOLLGATE_PLUGIN_DEADLINE_MS: '2000' });
});
afterAll(() => proxy?.stop());

/** A route with these plugins, each a package of its own, in front of what `listener` serves. */
async function expose(
  definitions: readonly string[],
  listener?: RequestListener,
  route: Readonly<Record<string, unknown>> = {},
) {
  const upstream = listener && (await serve(listener));
  if (upstream !== undefined) onTestFinished(() => upstream.stop());
  const exposed = await proxy.expose(upstream && { host: '127.0.0.1', port: upstream.port }, route);
  for (const [at, definition] of definitions.entries()) {
    const name = `transformer-${randomUUID().slice(0, 8)}`;
    const artefact = await packPlugin({ name, definition: `${definition}, priority: ${900 - at},` });
    expect((await proxy.admin('POST', '/plugin-packages', artefact)).status).toBe(201);
    await proxy.write('POST', `/routes/${exposed.routeId}/plugins`, { name });
  }
  return exposed.host;
}

const untilLogged = (text: string) =>
  pollUntil(
    'the log',
    () => proxy.gateway.output(),
    (output) => output.includes(text),
  );

/** Resident memory of the gateway's processes, in bytes. */
function readMemory(pid = proxy.gateway.pid): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + readMemory(Number(child)), pages * 4096);
}

const UPPER = `transformResponse: () => ({ text: (piece) => piece.toUpperCase() })`;

describe('a transformer of an answer', () => {
  it('puts text in the place of pieces and adds to the end, in chunks and without a length', async () => {
    const host = await expose([
      `transformResponse: (kong) => ({
        text: (piece) => piece.replaceAll('chunk', kong.response.getHeader('content-type')),
        end: () => 'over',
      })`,
    ]);
    const answer = await proxy.send(host, '/stream/3');
    expect(answer.text).toBe(
      'text/plain; charset=UTF-8 1\ntext/plain; charset=UTF-8 2\ntext/plain; charset=UTF-8 3\nover',
    );
    expect(answer.header('content-length')).toBeUndefined();
    expect(answer.header('transfer-encoding')).toBe('chunked');
  });

  it('gives an answer with a length none', async () => {
    const host = await expose([`transformResponse: () => ({ text: () => '', end: () => 'short' })`]);
    const answer = await proxy.send(host, '/bytes/300000');
    expect([answer.text, answer.header('content-length')]).toEqual(['short', undefined]);
  });

  it('sees the answer behind those of higher priority, whatever package they are of', async () => {
    const host = await expose([
      `transformResponse: () => ({ text: () => undefined, end: () => 'a' })`,
      `transformResponse: () => ({ text: (piece) => piece.replaceAll('a', '[a]'), end: () => 'b' })`,
      `transformResponse: () => undefined`,
      `transformResponse: () => ({ text: (piece) => piece.replaceAll('b', '<b>') })`,
    ]);
    expect((await proxy.send(host, '/bytes/2')).text).toBe('xx[a]<b>');
  });

  it.each(['HEAD', '204', '304'])('leaves an answer without a body alone: %s', async (kind) => {
    const host = await expose([`transformResponse: () => { throw new Error('asked') }`]);
    const answer =
      kind === 'HEAD'
        ? await proxy.send(host, '/bytes/10', { method: 'HEAD' })
        : await proxy.send(host, `/status/${kind}`);
    expect(answer.status).toBe(kind === 'HEAD' ? 200 : Number(kind));
    if (kind === 'HEAD') expect(answer.header('content-length')).toBe('10');
  });

  it('leaves length and bytes alone when it has nothing to do', async () => {
    const host = await expose([`transformResponse: () => undefined`]);
    const answer = await proxy.send(host, '/bytes/70000');
    expect([answer.header('content-length'), answer.body.length]).toEqual(['70000', 70_000]);
  });

  it('lets bytes of any kind pass unharmed, seen as text or as bytes', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8)) % 256));
    const listener: RequestListener = (_, response) => response.end(bytes);
    const host = await expose(
      [
        `transformResponse: () => ({ text() {} })`,
        `transformResponse: () => ({ bytes: (piece) => piece.map((byte) => byte ^ 255) })`,
        `transformResponse: () => ({ bytes: (piece) => piece.map((byte) => byte ^ 255) })`,
      ],
      listener,
    );
    const answer = await proxy.send(host);
    expect(answer.body.equals(bytes)).toBe(true);
  });

  it('never sees half a character', async () => {
    const text = 'grüße, 東京 and 🚀 '.repeat(50);
    const listener: RequestListener = async (_, response) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 101) {
        response.write(bytes.subarray(at, at + 101));
        await delay(1);
      }
      response.end();
    };
    const host = await expose(
      [
        `transformResponse: () => ({ text: (piece) => { if (piece.includes('\\ufffd')) throw new Error('half'); return [...piece].join('_') + '_'; } })`,
      ],
      listener,
    );
    expect((await proxy.send(host)).text).toBe(`${[...text].join('_')}_`);
  });

  it('passes each event of a stream on before the next one comes', async () => {
    let release: (() => void) | undefined;
    const listener: RequestListener = async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const token of ['one', 'two', 'three']) {
        response.write(`data: ${token}\n\n`);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      response.end();
    };
    const host = await expose([UPPER], listener);
    const answer = await openAnswer(proxy.port, { headers: { host } });
    const seen: string[] = [];
    for await (const chunk of answer) {
      seen.push(String(chunk));
      release?.();
    }
    expect(seen).toEqual(['DATA: ONE\n\n', 'DATA: TWO\n\n', 'DATA: THREE\n\n']);
  });

  it('sees what comes long behind the head', async () => {
    const listener: RequestListener = async (_, response) => {
      response.flushHeaders();
      await delay(100);
      response.end('late');
    };
    const host = await expose([UPPER, `transformResponse: () => undefined`], listener);
    expect((await proxy.send(host)).text).toBe('LATE');
  });

  it('may wait for others', async () => {
    const upstream = await serve((_, response) => response.end('looked up'));
    onTestFinished(() => upstream.stop());
    const host = await expose([
      `capabilities: { egress: ['http://127.0.0.1:${upstream.port}', '127.0.0.1'] },
       transformResponse: (kong) => ({
         text: async (piece) => piece + (await kong.fetch('http://127.0.0.1:${upstream.port}/')).text() + '\\n',
       })`,
    ]);
    expect((await proxy.send(host, '/bytes/1')).text).toBe('xlooked up\n');
  });

  it('shares what it learns with the log phase', async () => {
    const host = await expose([
      `transformResponse(kong) { kong.ctx.plugin.tokens = 0; return { text(piece) { kong.ctx.plugin.tokens += piece.split('data:').length - 1; } }; },
       log(kong) { kong.log.notice('events seen: ', kong.ctx.plugin.tokens); }`,
    ]);
    expect((await proxy.send(host, '/sse')).text).toBe('data: one\n\ndata: two\n\ndata: three\n\n');
    await untilLogged('events seen: 3');
  });
});

describe('a transformer that fails', () => {
  it.each([
    ['throws', `transformResponse: () => { throw new Error('not today') }`, 'not today'],
    ['returns what is no transformer', `transformResponse: () => 7`, 'a transformer is an object'],
    [
      'throws at the first piece',
      `transformResponse: () => ({ text() { throw new Error('first') } })`,
      'first',
    ],
    ['loops', `transformResponse: () => { for (;;); }`, 'transformResponse failed: timeout'],
  ])('answers 500 as long as nothing is out: %s', async (_, definition, logged) => {
    const host = await expose([definition]);
    const answer = await proxy.send(host, '/bytes/100');
    expect([answer.status, answer.json()]).toEqual([500, { message: 'An unexpected error occurred' }]);
    await untilLogged(logged);
  });

  it.each([
    ['throws', `throw new Error('in the middle')`],
    ['loops', `for (;;);`],
    ['loops in microtasks', `return (async () => { for (;;) await undefined; })()`],
    ['never settles', `return new Promise(() => {})`],
    ['rejects', `return Promise.reject(new Error('no'))`],
    ['returns no text', `return { length: 3 }`],
    ['returns too much', `return 'x'.repeat(2 ** 21)`],
    ['eats its memory', `const hoard = []; for (;;) hoard.push(new Array(10_000).fill(hoard.length))`],
  ])('cuts the connection in the middle: %s', async (_, code) => {
    const listener: RequestListener = async (_request, response) => {
      response.write('first');
      await delay(50);
      response.write('second');
      await delay(50);
      response.end('third');
    };
    const host = await expose(
      [`transformResponse() { let count = 0; return { text(piece) { if (count++ > 0) { ${code} } } }; }`],
      listener,
    );
    const bystander = await expose([UPPER]);
    const failed = proxy.send(host).then(
      () => 'complete',
      (error: NodeJS.ErrnoException) => error.code,
    );
    const others = await Promise.all([1, 2, 3].map(() => proxy.send(bystander, '/stream/3')));
    expect(others.map(({ text }) => text)).toEqual(Array(3).fill('CHUNK 1\nCHUNK 2\nCHUNK 3\n'));
    expect(await failed).toBe('ECONNRESET');
    await untilLogged('transformResponse failed');
  });
});

describe('a transformer of a request', () => {
  it('transforms what goes to the service, which gets it in chunks', async () => {
    const host = await expose([
      `transformRequest: (kong) => ({ text: (piece) => piece.toUpperCase(), end: () => kong.request.getMethod() })`,
    ]);
    for (const body of ['some text', ['some', ' ', 'text']]) {
      const echo = await proxy.echo(host, '/', { method: 'POST', body });
      expect(echo.body).toBe('SOME TEXTPOST');
      expect(
        new Map(echo.headers.map(([name, value]) => [name.toLowerCase(), value])).get('transfer-encoding'),
      ).toBe('chunked');
    }
    expect((await proxy.echo(host)).body).toBe('');
  });

  it('leaves a body alone that it has no interest in', async () => {
    const host = await expose([`transformRequest: () => undefined`]);
    const echo = await proxy.echo(host, '/', { method: 'POST', body: 'as it is' });
    expect(echo.body).toBe('as it is');
    expect(
      echo.headers.some(([name, value]) => name.toLowerCase() === 'content-length' && value === '8'),
    ).toBe(true);
  });

  it('sees a body that another plugin has put there', async () => {
    const host = await expose([
      `capabilities: { requestBody: true }, access(kong) { kong.service.request.setRawBody('made'); }`,
      `transformRequest: () => ({ text: (piece) => '<' + piece + '>' })`,
    ]);
    expect((await proxy.echo(host, '/', { method: 'POST', body: 'sent' })).body).toBe('<made>');
    expect((await proxy.echo(host)).body).toBe('<made>');
  });

  it('answers 500 when it fails', async () => {
    const host = await expose([`transformRequest: () => ({ text() { throw new Error('no') } })`]);
    const answer = await proxy.send(host, '/', { method: 'POST', body: 'sent' });
    expect([answer.status, answer.json()]).toEqual([500, { message: 'An unexpected error occurred' }]);
  });
});

describe('a large body', () => {
  const PIECE = Buffer.from('0123456789abcdef'.repeat(4096));
  const PIECES = 2048;
  const large: RequestListener = (_, response) => {
    let sent = 0;
    const write = () => {
      while (sent < PIECES) {
        sent++;
        if (!response.write(PIECE)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  };

  it('of 128 MiB passes through to a slow reader in no more memory than a part of it', {
    timeout: 120_000,
  }, async () => {
    const host = await expose(
      [`transformResponse: () => ({ text: (piece) => piece.replaceAll('a', 'A') })`],
      large,
    );
    const answer = await openAnswer(proxy.port, { headers: { host } });
    const digest = createHash('sha256');
    let received = 0;
    let early = 0;
    let late = 0;
    for await (const chunk of answer) {
      const megabytes = received >> 22;
      received += (chunk as Buffer).length;
      digest.update(chunk as Buffer);
      if (received >> 22 === megabytes) continue;
      await delay(20);
      if (received < (PIECES * PIECE.length) / 4) early = Math.max(early, readMemory());
      else late = Math.max(late, readMemory());
    }
    const expected = createHash('sha256');
    const piece = Buffer.from(PIECE.toString().replaceAll('a', 'A'));
    for (let at = 0; at < PIECES; at++) expected.update(piece);
    expect(received).toBe(PIECE.length * PIECES);
    expect(digest.digest('hex')).toBe(expected.digest('hex'));
    expect(late - early).toBeLessThan(48 * 1024 * 1024);
  });
});
