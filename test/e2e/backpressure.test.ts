/**
 * A slow side holds the other up instead of filling the gateway's memory: with bodies of BODY_MIB MiB (1024 unless the
 * environment variable says more) that nobody could hold twice.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { openAnswer } from './support/send-request.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const BODY_BYTES = Number(process.env['BODY_MIB'] ?? 1024) * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'x');
/** Mostly what the garbage collector has not looked at yet: no more for 2 GiB than this. */
const MAX_GROWTH_BYTES = 512 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

const ports = { default: await findFreePort(), strict: await findFreePort() };
let proxy: ProxyUnderTest;
let dataPlane: number;
beforeAll(async () => {
  proxy = await startProxy({
    TOLLGATE_PROXY_LISTEN: `127.0.0.1:${ports.default}, 127.0.0.1:${ports.strict} strict`,
  });
  const { pid } = proxy.gateway;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const isDataPlane = (child: number) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('data-plane');
  dataPlane = children.find(isDataPlane) ?? Number.NaN;
});
afterAll(() => proxy.stop());

const readRss = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${dataPlane}/status`, 'utf8'))?.[1]) * 1024;

/** By how much the data plane has grown at most while something went on. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = readRss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, readRss());
  }, 25);
  await work().finally(() => clearInterval(timer));
  return most - before;
}

function* generate(): Generator<Buffer> {
  for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) yield CHUNK;
}

/** Counts, and stands still now and then: first of all for a second. */
class SlowReader extends Writable {
  byteCount = 0;
  #nextStop = 0;

  override _write(chunk: Buffer, _: string, done: () => void): void {
    const isFirst = this.byteCount === 0;
    this.byteCount += chunk.length;
    if (this.byteCount < this.#nextStop) {
      done();
      return;
    }
    this.#nextStop = this.byteCount + BODY_BYTES / 32;
    setTimeout(done, isFirst ? 1000 : 15);
  }
}

describe.each(['default', 'strict'] as const)('on the %s ingress', (kind) => {
  it('a client that reads slowly gets everything, at a level memory', { timeout: TIMEOUT_MS }, async () => {
    const upstream = await serve(
      (_, response) => void pipeline(Readable.from(generate()), response).catch(() => {}),
    );
    onTestFinished(() => upstream.stop());
    const { host } = await proxy.expose({ port: upstream.port });
    const reader = new SlowReader();
    const growth = await growthDuring(async () => {
      await pipeline(await openAnswer(ports[kind], { headers: { Host: host } }), reader);
    });
    expect(reader.byteCount).toBe(BODY_BYTES);
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });

  it.each([
    ['with a length', { 'Content-Length': String(BODY_BYTES) }],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }],
  ])(
    'a service that reads an upload %s slowly gets everything, at a level memory',
    { timeout: TIMEOUT_MS },
    async (_, framing) => {
      const reader = new SlowReader();
      const upstream = await serve((received, response) => {
        void pipeline(received, reader).then(() => response.end('done'));
      });
      onTestFinished(() => upstream.stop());
      const { host } = await proxy.expose({ port: upstream.port });
      const growth = await growthDuring(async () => {
        const sent = request({
          host: '127.0.0.1',
          port: ports[kind],
          method: 'POST',
          headers: { Host: host, ...framing },
          agent: false,
        });
        const answered = new Promise<void>((resolve, reject) => {
          sent.once('response', (answer) => answer.resume().once('end', resolve));
          sent.once('error', reject);
        });
        await pipeline(Readable.from(generate()), sent);
        await answered;
      });
      expect(reader.byteCount).toBe(BODY_BYTES);
      expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    },
  );
});
