/**
 * Looks for bytes that break a promise of the response parser, guided by what they cover: see README.md beside this.
 * Run: node test/fuzz/run.ts [seconds, default 60] [seed]
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BranchCoverage } from './branch-coverage.ts';
import { createMutator } from './mutate.ts';
import { fuzz } from './response-parser.ts';

/** Where to begin; the first byte says how they are read. */
const SEEDS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n',
  'HTTP/1.0 200\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close, x\r\n\r\nuntil the end',
];
/** Coverage is read once for so many inputs, and for each of them only where there was something new. */
const BATCH = 32;

const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const mutate = createMutator(seed);
const coverage = new BranchCoverage('/core/upstream/');
const corpus: Buffer[] = SEEDS.flatMap((text) =>
  ['\0', '\x01', '\x0e'].map((control) => Buffer.from(control + text, 'latin1')),
);

function run(input: Buffer): void {
  try {
    fuzz(input);
  } catch (error) {
    const path = join(mkdtempSync(join(tmpdir(), 'tollgate-fuzz-')), 'input');
    writeFileSync(path, input);
    console.error(`a promise was broken by ${JSON.stringify(input.toString('latin1'))}\nkept in ${path}`);
    throw error;
  }
}

for (const input of corpus) run(input);
coverage.takeNew();
const endMs = Date.now() + seconds * 1000;
let count = 0;
while (Date.now() < endMs) {
  const batch = Array.from({ length: BATCH }, () => mutate(corpus));
  for (const input of batch) run(input);
  count += BATCH;
  if (!coverage.hasNew()) continue;
  for (const input of batch) {
    run(input);
    if (coverage.takeNew()) corpus.push(input);
  }
}
console.log(
  `no promise was broken: ${count} inputs, ${corpus.length} of them kept, ${coverage.size} branches reached, seed ${seed}`,
);
