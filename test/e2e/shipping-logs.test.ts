/**
 * Plugins as their authors publish them, at their daily work: one ships a record of each request to a collector, in batches,
 * and one counts the tokens of event streams. Nothing is lost that a gateway has taken, whatever happens around it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { packModule } from '../support/pack-plugin.ts';
import { pollUntil } from '../support/poll-until.ts';
import { openAnswer } from './support/send-request.ts';
import { serve } from './support/serve.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const FIXTURES = new URL('../plugins/fixtures/', import.meta.url);
const SDK = fileURLToPath(new URL('../../sdk/index.ts', import.meta.url));
/** Nothing is sent of itself before the test is over. */
const PATIENT = { max_batch_size: 10_000, max_coalescing_delay: 3600 };

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy?.stop());

interface Collector {
  readonly url: string;
  /** URIs of the records that have arrived, batch by batch. */
  readonly batches: readonly (readonly string[])[];
  close(): Promise<void>;
  open(): Promise<void>;
}

async function startCollector(): Promise<Collector> {
  const port = await findFreePort();
  const batches: string[][] = [];
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const records = JSON.parse(Buffer.concat(chunks).toString()) as readonly { readonly uri: string }[];
    batches.push(records.map(({ uri }) => uri));
    response.end();
  };
  let server = await serve(listener, port);
  const collector = {
    url: `http://127.0.0.1:${port}`,
    batches,
    close: () => server.stop(),
    open: async () => {
      server = await serve(listener, port);
    },
  };
  onTestFinished(() => server.stop());
  return collector;
}

/** The plugin of the fixture, allowed to ask this collector and no other. */
async function packShipper(name: string, { url }: Collector, version = '1.0.0') {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-shipper-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const entry = join(folder, 'index.ts');
  const code = readFileSync(new URL('log-shipper.ts', FIXTURES), 'utf8')
    .replace("'@tollgate/sdk'", JSON.stringify(SDK))
    .replace("name: 'log-shipper'", `name: '${name}'`)
    .replace("version: '1.0.0'", `version: '${version}'`)
    .replaceAll('shipped_total', `${name.replaceAll('-', '_')}_total`)
    .replace("'https://logs.example'", `'${url}'`);
  writeFileSync(entry, code);
  return packModule(name, version, pathToFileURL(entry));
}

/** A route whose records are shipped to the collector. */
async function ship(to: ProxyUnderTest, collector: Collector, name: string, queue: object = {}) {
  await to.write('POST', '/plugin-packages', await packShipper(name, collector));
  const { host, routeId } = await to.expose();
  await to.write('POST', `/routes/${routeId}/plugins`, { name, config: { collector: collector.url, queue } });
  return host;
}

/** Sends so many requests, a few at a time; resolves to their paths. */
async function load(through: ProxyUnderTest, host: string, count: number, prefix = ''): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, at) => `/${prefix}${at}`);
  const waiting = [...paths];
  const send = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift())
      expect((await through.send(host, path)).status).toBe(200);
  };
  await Promise.all(Array.from({ length: 16 }, send));
  return paths;
}

const untilArrived = ({ batches }: Collector, count: number) =>
  pollUntil(
    'records',
    () => batches.flat().length,
    (arrived) => arrived >= count,
  );

describe('a plugin that ships records of requests', () => {
  it('ships each once, in batches', async () => {
    const collector = await startCollector();
    const host = await ship(proxy, collector, 'shipper-load', { max_coalescing_delay: 0.2 });
    const sent = await load(proxy, host, 500);
    await untilArrived(collector, sent.length);
    expect(collector.batches.flat().toSorted()).toEqual(sent.toSorted());
    expect(Math.max(...collector.batches.map(({ length }) => length))).toBe(20);
  });

  it('keeps them while the collector is down', async () => {
    const collector = await startCollector();
    const host = await ship(proxy, collector, 'shipper-outage', {
      max_coalescing_delay: 0.1,
      max_retry_delay: 0.5,
    });
    await collector.close();
    const sent = await load(proxy, host, 100);
    await pollUntil(
      'the log',
      () => proxy.gateway.output(),
      (output) => output.includes('onBatch failed'),
    );
    expect(collector.batches).toEqual([]);
    await collector.open();
    await untilArrived(collector, sent.length);
    expect(collector.batches.flat().toSorted()).toEqual(sent.toSorted());
  });

  it('loses none when its package is replaced under load', async () => {
    const collector = await startCollector();
    const name = 'shipper-swap';
    const host = await ship(proxy, collector, name, PATIENT);
    const under = [load(proxy, host, 150, 'a-')];
    await proxy.write('POST', '/plugin-packages', await packShipper(name, collector, '1.1.0'));
    under.push(load(proxy, host, 150, 'b-'));
    await proxy.write('POST', '/plugin-packages', await packShipper(name, collector, '1.2.0'));
    const sent = (await Promise.all(under)).flat();
    // What the last version holds is handed over when its instance is gone.
    const { data } = await proxy.write('GET', `/plugins`);
    const instance = data.find((plugin: { readonly name: string }) => plugin.name === name);
    await proxy.write('DELETE', `/plugins/${instance.id}`);
    await untilArrived(collector, sent.length);
    expect(collector.batches.flat().toSorted()).toEqual(sent.toSorted());
  });

  it('hands over what it holds when the gateway stops', async () => {
    const collector = await startCollector();
    const stopping = await startProxy();
    const sent = await ship(stopping, collector, 'shipper-stop', PATIENT)
      .then((host) => load(stopping, host, 60))
      .finally(() => stopping.stop());
    expect(collector.batches.flat().toSorted()).toEqual(sent.toSorted());
    expect(collector.batches).toHaveLength(1);
  });
});

describe('a plugin that counts and rewrites an event stream', () => {
  it('sees each event before the next is there, and what the service gets', async () => {
    const artefact = await packModule('token-counter', '1.0.0', new URL('token-counter.ts', FIXTURES));
    await proxy.write('POST', '/plugin-packages', artefact);
    let goOn = () => {};
    let prompt = '';
    const service = await serve(async (request, response) => {
      for await (const chunk of request) prompt += String(chunk);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of ['data: the sec', 'ret\n\n', 'data: of 東京\n\n', 'data: [DONE]\n\n']) {
        response.write(piece);
        if (piece.endsWith('\n\n'))
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
      }
      response.end();
    });
    onTestFinished(() => service.stop());
    const { host, routeId } = await proxy.expose({ host: '127.0.0.1', port: service.port });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'token-counter' });
    const answer = await openAnswer(proxy.port, {
      method: 'POST',
      headers: { Host: host },
      body: ['where ', 'is it?'],
    });
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const seen: string[] = [];
    for (const event of ['data: the ***\n\n', 'data: of 東京\n\n', 'data: [DONE]\n\n']) {
      await pollUntil(
        'an event',
        () => text,
        (all) => all.endsWith(event),
      );
      seen.push(text);
      goOn();
    }
    expect(seen[0]).toBe('data: the ***\n\n');
    await pollUntil(
      'the end',
      () => answer.complete,
      (isComplete) => isComplete,
    );
    expect(text).toBe('data: the ***\n\ndata: of 東京\n\ndata: [DONE]\n\nevent: usage\ndata: 3\n\n');
    expect(prompt).toBe('WHERE IS IT?');
    const metrics = await (await fetch(`${proxy.gateway.statusUrl}/metrics`)).text();
    expect(metrics).toContain('tokens_total 3');
  });
});
