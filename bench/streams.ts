/**
 * Event streams side by side: how much later the first byte comes through a proxy, and how long events lie about in it,
 * with many streams open at once. Every event says when it was written, so what counts is its age on arrival.
 * Run: node bench/streams.ts [streams, default 512] [events of each, default 30]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nginxSubject } from './subjects/nginx-subjects.ts';
import { type Subject, SubjectUnavailable } from './subjects/subject.ts';
import { tollgateSubject } from './subjects/tollgate-subject.ts';

const STREAMS = Number(process.argv[2] ?? 512);
const EVENTS = Number(process.argv[3] ?? 30);
const EVERY_MS = 100;
/** Streams begin one after the other within this time, so that their events do not come all at once. */
const RAMP_MS = 1000;
/** An event that is older has lain about. */
const STALL_MS = 50;
const ROUNDS = 3;

interface Ages {
  readonly firstByteMs: number[];
  readonly eventMs: number[];
  failures: number;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

/** One stream over a connection of its own, to its end. */
function follow(origin: URL, ages: Ages): Promise<void> {
  return new Promise((resolve) => {
    const startedAtMs = nowMs();
    let received = 0;
    let rest = '';
    const socket = connect(Number(origin.port), origin.hostname, () => {
      socket.write(`GET ${origin.pathname} HTTP/1.1\r\nHost: ${origin.host}\r\nConnection: close\r\n\r\n`);
    });
    socket.once('data', () => ages.firstByteMs.push(nowMs() - startedAtMs));
    socket.on('data', (bytes) => {
      const arrivedAtMs = nowMs();
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('data: ')) continue;
        received++;
        ages.eventMs.push(arrivedAtMs - Number(line.slice('data: '.length)));
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (received !== EVENTS) ages.failures++;
      resolve();
    });
  });
}

async function measure(origin: URL): Promise<Ages> {
  const ages: Ages = { firstByteMs: [], eventMs: [], failures: 0 };
  const streams = Array.from({ length: STREAMS }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, (index / STREAMS) * RAMP_MS));
    await follow(origin, ages);
  });
  await Promise.all(streams);
  return ages;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function report(name: string, { firstByteMs, eventMs, failures }: Ages): void {
  const cells = [
    quantile(firstByteMs, 0.5),
    quantile(firstByteMs, 0.99),
    quantile(eventMs, 0.5),
    quantile(eventMs, 0.99),
  ];
  const stalls = eventMs.filter((age) => age > STALL_MS).length;
  const figures = cells.map((ms) => `${ms.toFixed(2)} ms`).join(' | ');
  console.log(`| ${name} | ${figures} | ${stalls} of ${eventMs.length} | ${failures} |`);
}

async function startUpstream(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const script = join(import.meta.dirname, 'event-upstream.ts');
  const child = spawn(process.execPath, [script, String(EVENTS), String(EVERY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, port: Number(String(line)) };
}

const { child, port } = await startUpstream();
const folder = mkdtempSync(join(tmpdir(), 'tollgate-streams-'));
const targets: { readonly name: string; readonly url: URL }[] = [
  { name: 'no proxy', url: new URL(`http://127.0.0.1:${port}/`) },
];
const stops: (() => Promise<void>)[] = [];
try {
  for (const subject of [nginxSubject, tollgateSubject] satisfies Subject[]) {
    try {
      const running = await subject.start({
        folder: join(folder, subject.name),
        upstreamPort: port,
        workers: 1,
      });
      stops.push(() => running.stop());
      targets.push({ name: subject.name, url: new URL('/plain', running.proxyUrl) });
    } catch (error) {
      if (!(error instanceof SubjectUnavailable)) throw error;
      console.log(`without ${subject.name}: ${error.message}`);
    }
  }
  console.log(
    `${STREAMS} streams at once, ${EVENTS} events each, one every ${EVERY_MS} ms, ${ROUNDS} rounds`,
  );
  console.log('| through | first byte p50 | p99 | age of events p50 | p99 | over 50 ms | cut short |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, url } of targets) report(name, await measure(url));
  }
} finally {
  for (const stop of stops) await stop();
  child.kill();
  rmSync(folder, { recursive: true, force: true });
}
