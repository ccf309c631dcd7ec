import type { us_listen_socket } from 'uWebSockets.js';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { listNeededGlibcVersions, relabelGlibcSymbols } from '../../../core/http/glibc-relabelling.ts';
import { fitToGlibc, loadUws, prepareNativeBinding } from '../../../core/http/native-binding.ts';

const packageFolder = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));
const LIBRARIES = ['uws_linux_x64_137.node', 'uws_linux_arm64_137.node'];
const C23_NAMES = ['__isoc23_strtol', '__isoc23_strtoul'];

describe.each(LIBRARIES)('relabelling %s', (file) => {
  const shipped = readFileSync(join(packageFolder, file));

  it('finds the glibc versions the shipped library wants', () => {
    expect(listNeededGlibcVersions(shipped)).toEqual(expect.arrayContaining(['GLIBC_2.34', 'GLIBC_2.38']));
  });

  it('makes a copy of the same size that wants everything but 2.38', () => {
    const copy = relabelGlibcSymbols(shipped);
    const expected = listNeededGlibcVersions(shipped).filter((name) => name !== 'GLIBC_2.38');
    expect(copy.length).toBe(shipped.length);
    expect(listNeededGlibcVersions(copy).toSorted()).toEqual(expected.toSorted());
  });

  it('changes only name offsets and one version entry', () => {
    const copy = relabelGlibcSymbols(shipped);
    let changed = 0;
    for (let at = 0; at < copy.length; at++) if (copy[at] !== shipped[at]) changed++;
    expect(changed).toBeGreaterThanOrEqual(C23_NAMES.length);
    expect(changed).toBeLessThanOrEqual(3 * 4 + 8);
  });

  it('leaves its input and an already relabelled library alone', () => {
    const before = Buffer.from(shipped);
    const copy = relabelGlibcSymbols(shipped);
    expect(shipped.equals(before)).toBe(true);
    expect(relabelGlibcSymbols(copy).equals(copy)).toBe(true);
  });

  it('refuses when another symbol wants 2.38', () => {
    const other = Buffer.from(shipped);
    const at = other.indexOf('__isoc23_strtol\0');
    other.write('__isoc23_strtoX', at, 'latin1');
    expect(() => relabelGlibcSymbols(other)).toThrow('__isoc23_strtoX of GLIBC_2.38');
  });
});

it('refuses bytes that are no ELF library', () => {
  expect(() => listNeededGlibcVersions(Buffer.alloc(100))).toThrow('not a 64-bit little-endian ELF');
});

describe('fitToGlibc', () => {
  const shipped = join(packageFolder, 'uws_linux_x64_137.node');
  const ownFolder = mkdtempSync(join(tmpdir(), 'tollgate-binding-'));
  afterAll(() => rmSync(ownFolder, { recursive: true }));

  it('takes the shipped library where glibc is new enough', () => {
    expect(fitToGlibc(shipped, '2.38')).toBe(shipped);
    expect(fitToGlibc(shipped, '3.0')).toBe(shipped);
  });

  it('names the missing versions where glibc is too old', () => {
    expect(() => fitToGlibc(shipped, '2.31')).toThrow(/GLIBC_2\.36.*has glibc 2\.31/);
  });

  it('says that it needs glibc where there is another C library', () => {
    expect(() => fitToGlibc(shipped, undefined)).toThrow('needs a Linux with glibc');
  });

  it('makes one copy a source and leaves no drafts behind', () => {
    const folder = join(ownFolder, 'node_modules', 'uws');
    const source = join(folder, 'library.node');
    createPackage(folder, source, '1.0.0');
    const first = fitToGlibc(source, '2.36');
    expect(fitToGlibc(source, '2.37')).toBe(first);
    createPackage(folder, source, '1.0.1');
    const second = fitToGlibc(source, '2.36');
    expect(second).not.toBe(first);
    expect(readdirSync(dirname(first))).toHaveLength(2);
    expect(listNeededGlibcVersions(readFileSync(second))).not.toContain('GLIBC_2.38');
  });

  function createPackage(folder: string, source: string, version: string): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }));
    writeFileSync(source, readFileSync(shipped));
  }
});

describe('loadUws', () => {
  it('loads a library that serves a request with a head of 20 KiB', async () => {
    const uws = loadUws();
    let listenSocket: us_listen_socket | undefined;
    const port = await new Promise<number>((resolve) => {
      const app = uws.App().get('/*', (res, req) => {
        res.end(`${req.getUrl()} ${req.getHeader('x-long').length}`);
      });
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket === false) throw new Error('no free port');
        listenSocket = socket;
        resolve(uws.us_socket_local_port(socket));
      });
    });
    expect(await get(port, '/a/%2F', { 'x-long': 'x'.repeat(20_000) })).toBe('/a/%2F 20000');
    if (listenSocket !== undefined) uws.us_listen_socket_close(listenSocket);
  });

  it('loads in several worker threads at once', async () => {
    prepareNativeBinding();
    const url = new URL('../../../core/http/native-binding.ts', import.meta.url).href;
    const code = `const { loadUws } = await import(${JSON.stringify(url)});
      const { parentPort } = await import('node:worker_threads');
      parentPort.postMessage(typeof loadUws().App);`;
    const kinds = await Promise.all([1, 2, 3].map(() => runWorker(code)));
    expect(kinds).toEqual(['function', 'function', 'function']);
  });
});

function get(port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve(text);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function runWorker(code: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
