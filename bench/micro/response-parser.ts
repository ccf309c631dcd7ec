/**
 * What parsing one upstream response costs, without any socket: `node bench/micro/response-parser.ts`.
 * Prints nanoseconds a response, the best and the median of several rounds, since machines are noisy.
 */
import { ResponseParser } from '../../core/upstream/response-parser.ts';

const RESPONSES_PER_ROUND = 50_000;
const ROUNDS = 9;

const BODY = JSON.stringify({
  hello: 'world',
  items: [1, 2, 3, 4, 5],
  text: 'lorem ipsum dolor sit amet, consectetur',
});
const HEAD = [
  'HTTP/1.1 200 OK',
  'Date: Mon, 01 Jan 2024 00:00:00 GMT',
  'Content-Type: application/json; charset=utf-8',
  'Server: nginx/1.25.3',
  'Cache-Control: no-store, max-age=0',
  'ETag: W/"5f-8b0e0a9f2c"',
  'Vary: Accept-Encoding, Origin',
  'X-Request-Id: 0f8fad5b-d9cb-469f-a165-70867728950e',
  'Strict-Transport-Security: max-age=31536000; includeSubDomains',
  'Connection: keep-alive',
].join('\r\n');

const withLength = Buffer.from(`${HEAD}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`, 'latin1');
const inChunks = Buffer.from(
  `${HEAD}\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
  'latin1',
);

/** Parses `bytes` once in pieces of `pieceBytes`. Returns how many bytes of body came out, so that nothing is optimised away. */
function createRun(bytes: Buffer, pieceBytes: number): () => number {
  let bodyBytes = 0;
  const parser = new ResponseParser({
    onResponseHead: (head) => {
      bodyBytes += head.headers.length > 0 ? 0 : 1;
    },
    onResponseChunk: (chunk) => {
      bodyBytes += chunk.length;
    },
  });
  return () => {
    parser.begin(false);
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      parser.feed(bytes, start, Math.min(bytes.length, start + pieceBytes));
    }
    return bodyBytes;
  };
}

function measureNs(run: () => number): number {
  const startedAtMs = performance.now();
  for (let count = 0; count < RESPONSES_PER_ROUND; count++) run();
  return ((performance.now() - startedAtMs) * 1e6) / RESPONSES_PER_ROUND;
}

const scenarios: readonly [name: string, bytes: Buffer, pieceBytes: number][] = [
  ['Content-Length, in one read', withLength, withLength.length],
  ['chunked, in one read', inChunks, inChunks.length],
  ['Content-Length, head split in the middle', withLength, 250],
  ['chunked, in reads of 16 bytes', inChunks, 16],
];

for (const [name, bytes, pieceBytes] of scenarios) {
  const run = createRun(bytes, pieceBytes);
  measureNs(run);
  const rounds = Array.from({ length: ROUNDS }, () => measureNs(run)).sort((a, b) => a - b);
  const best = rounds[0]!.toFixed(0);
  const median = rounds[Math.floor(ROUNDS / 2)]!.toFixed(0);
  console.log(
    `${name.padEnd(42)} ${bytes.length} bytes   best ${best.padStart(6)} ns   median ${median.padStart(6)} ns`,
  );
}
