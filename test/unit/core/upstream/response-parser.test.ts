import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_HEAD_BYTES, MAX_INTERIM_RESPONSES } from '../../../../core/upstream/response-parser.ts';
import { parseResponse } from './parse-response.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('a well-formed response', () => {
  it('keeps names, values, order and duplicates of its headers as sent', () => {
    const { head } = parseResponse(
      `${OK}X-One:1\r\nset-cookie: a=b\r\nSet-Cookie: \t c=d; e \r\nEmpty:\r\nLatin: caf\xe9\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(head).toEqual({
      status: 200,
      headers: [
        ...['X-One', '1', 'set-cookie', 'a=b', 'Set-Cookie', 'c=d; e'],
        ...['Empty', '', 'Latin', 'caf\xe9', 'Content-Length', '0'],
      ],
      bodyLength: 0,
      hasBody: true,
    });
  });

  it.each([
    ['by its length', `${OK}content-length: 5\r\n\r\nhello`, 'hello', true],
    ['by chunks', `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, 'hello', true],
    [
      'by chunks in any case of letters',
      `${OK}TRANSFER-ENCODING: Chunked\r\n\r\n00a\r\n0123456789\r\n0\r\n\r\n`,
      '0123456789',
      true,
    ],
    [
      'by chunks with extensions and trailers',
      `${CHUNKED}5;a=b;c="d"\r\nhello\r\n0;x\r\nX-T: 1\r\nY:\r\n\r\n`,
      'hello',
      true,
    ],
    ['by a length of nothing', `${OK}content-length: 0\r\n\r\n`, '', true],
    ['by chunks without any', `${CHUNKED}0\r\n\r\n`, '', true],
    ['with Connection: close', `${OK}Connection: Close\r\ncontent-length: 1\r\n\r\nx`, 'x', false],
    [
      'with close among other options',
      `${OK}connection: foo, close\r\ncontent-length: 1\r\n\r\nx`,
      'x',
      false,
    ],
    ['from HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx', 'x', false],
    [
      'from HTTP/1.0 with keep-alive',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\ncontent-length: 1\r\n\r\nx',
      'x',
      true,
    ],
    ['without a reason phrase', 'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx', 'x', true],
    [
      'behind interim responses',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}content-length: 1\r\n\r\nx`,
      'x',
      true,
    ],
  ])('is delimited %s', (_title, bytes, body, canReuse) => {
    expect(parseResponse(bytes)).toMatchObject({ result: 'complete', body, canReuse });
  });

  it('is delimited by the close when it names no length', () => {
    expect(parseResponse(`${OK}A: b\r\n\r\nhello`, { close: true })).toMatchObject({
      result: 'complete by close',
      body: 'hello',
      head: { bodyLength: undefined, hasBody: true },
    });
  });

  it.each([
    ['to HEAD', `${OK}content-length: 1000\r\n\r\n`, true, 1000],
    ['to HEAD, announced in chunks', CHUNKED, true, undefined],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', false, undefined],
    ['304', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n', false, 7],
  ])('has no body when it is an answer %s', (_title, bytes, isHeadRequest, bodyLength) => {
    expect(parseResponse(bytes, { isHeadRequest })).toMatchObject({
      result: 'complete',
      body: '',
      canReuse: true,
      head: { hasBody: false, bodyLength },
    });
  });

  it('may fill the head limit to the last byte', () => {
    const frame = `${OK}content-length: 0\r\nX: \r\n\r\n`;
    const bytes = frame.replace('X: ', `X: ${'x'.repeat(MAX_HEAD_BYTES - frame.length)}`);
    expect(bytes.length).toBe(MAX_HEAD_BYTES);
    expect(parseResponse(bytes)).toMatchObject({ result: 'complete' });
    expect(parseResponse(bytes.replace('X: ', 'X: x'))).toMatchObject({ result: 'malformed' });
  });
});

it('does not trust a connection on which a 204 announced a body', () => {
  for (const framing of ['Content-Length: 5', 'Transfer-Encoding: chunked']) {
    const parsed = parseResponse(`HTTP/1.1 204 No Content\r\n${framing}\r\n\r\n`);
    expect(parsed).toMatchObject({ result: 'complete', canReuse: false, head: { hasBody: false } });
  }
});

describe('a 101', () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\r\n';

  it('that was asked for hands over everything behind it, and ends with the connection', () => {
    const bytes = `${SWITCH}\x81\x02hi\r\n\r\n`;
    for (const cuts of [[], Array.from(bytes, (_byte, index) => index)]) {
      expect(parseResponse(bytes, { mayUpgrade: true, close: true, cuts })).toMatchObject({
        result: 'complete by close',
        head: { status: 101, hasBody: true, bodyLength: undefined },
        body: '\x81\x02hi\r\n\r\n',
        canReuse: false,
      });
    }
  });

  it.each([
    ['to something else', SWITCH.replace('WebSocket', 'h2c')],
    ['to nothing', SWITCH.replace('Upgrade: WebSocket\r\n', '')],
    ['with a length', SWITCH.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\n')],
    ['with chunks', SWITCH.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n')],
  ])('%s is refused even then', (_title, bytes) => {
    expect(parseResponse(bytes, { mayUpgrade: true })).toMatchObject({
      result: 'malformed',
      head: undefined,
    });
  });
});

describe('surplus bytes', () => {
  it('make the answer a bad one while nothing of it is out', () => {
    const split = `${OK}content-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`;
    expect(parseResponse(split)).toMatchObject({ result: 'malformed', head: undefined });
    expect(parseResponse(`${OK}content-length: 5\r\n\r\nbody`, { isHeadRequest: true })).toMatchObject({
      result: 'malformed',
    });
    expect(parseResponse('HTTP/1.1 204 No Content\r\n\r\nbody')).toMatchObject({ result: 'malformed' });
  });

  it('only cost the connection once the head is out', () => {
    const bytes = `${OK}content-length: 5\r\n\r\nhello!`;
    expect(parseResponse(bytes, { cuts: [bytes.length - 3] })).toMatchObject({
      result: 'complete',
      body: 'hello',
      canReuse: false,
    });
    expect(parseResponse(`${CHUNKED}1\r\nx\r\n0\r\n\r\n!`)).toMatchObject({
      result: 'complete',
      body: 'x',
      canReuse: false,
    });
  });
});

const MALFORMED_HEADS: readonly [title: string, bytes: string][] = [
  ['two different lengths', `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\n`],
  ['the same length twice', `${OK}content-length: 5\r\nContent-Length: 5\r\n\r\n`],
  ['a list of lengths', `${OK}content-length: 5, 5\r\n\r\n`],
  ['a signed length', `${OK}content-length: +5\r\n\r\n`],
  ['a negative length', `${OK}content-length: -5\r\n\r\n`],
  ['a hexadecimal length', `${OK}content-length: 0x5\r\n\r\n`],
  ['an empty length', `${OK}content-length:\r\n\r\n`],
  ['a length nobody can count', `${OK}content-length: 9999999999999999\r\n\r\n`],
  ['a length and chunks', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`],
  ['chunks and a length', `${OK}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n`],
  ['another transfer coding', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`],
  ['identity as transfer coding', `${OK}transfer-encoding: identity\r\n\r\n`],
  ['a transfer coding that only looks like chunked', `${OK}transfer-encoding: \x0bchunked\r\n\r\n`],
  ['chunked twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['a folded header', `${OK}a: b\r\n c\r\n\r\n`],
  ['a header that starts folded', `${OK} a: b\r\n\r\n`],
  ['a blank before the colon', `${OK}a : b\r\n\r\n`],
  ['a header without a name', `${OK}: b\r\n\r\n`],
  ['a header without a colon', `${OK}abc\r\n\r\n`],
  ['a name that is no token', `${OK}a(b): c\r\n\r\n`],
  ['a name beyond ASCII', `${OK}n\xe4me: c\r\n\r\n`],
  ['NUL in a value', `${OK}a: b\0c\r\n\r\n`],
  ['DEL in a value', `${OK}a: b\x7fc\r\n\r\n`],
  ['a lone CR in a value', `${OK}a: b\rc\r\n\r\n`],
  ['a lone LF in a value', `${OK}a: b\nc: d\r\n\r\n`],
  ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['a banner without an end', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['no status line at all', 'hello'],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['a lower-case protocol', 'http/1.1 200 OK\r\n\r\n'],
  ['an empty line first', `\r\n${OK}\r\n`],
  ['two blanks in the status line', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['a short status', 'HTTP/1.1 20\r\n\r\n'],
  ['a long status', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 Odd\r\n\r\n'],
  ['a status that is no number', 'HTTP/1.1 2xx OK\r\n\r\n'],
  ['too many headers', `${OK}${'a: b\r\n'.repeat(201)}\r\n`],
  ['a head without end', `${OK}${`a: ${'b'.repeat(1000)}\r\n`.repeat(40)}`],
  ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n'],
  ['a flood of interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(MAX_INTERIM_RESPONSES + 1)],
  ['an interim response with a body', 'HTTP/1.1 100 Continue\r\ncontent-length: 5\r\n\r\nhello'],
];

const MALFORMED_CHUNKS: readonly [title: string, bytes: string][] = [
  ['an empty size', '\r\nhello\r\n0\r\n\r\n'],
  ['a size that is not hexadecimal', 'g\r\nhello\r\n0\r\n\r\n'],
  ['a signed size', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a size with a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a blank behind the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a size nobody can count', `${'f'.repeat(14)}\r\nhello`],
  ['LF alone behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['CR alone behind the size', '5\rhello\r\n0\r\n\r\n'],
  ['LF in an extension', '5;a\nhello\r\n0\r\n\r\n'],
  ['extensions without end', `5;${'a'.repeat(20_000)}`],
  ['more data than announced', '5\r\nhello!\r\n0\r\n\r\n'],
  ['LF alone behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['a trailer without a name', '0\r\n: a\r\n\r\n'],
  ['a trailer without a colon', '0\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['a folded trailer', '0\r\na: b\r\n c\r\n\r\n'],
  ['a control character in a trailer', '0\r\na: \0\r\n\r\n'],
  ['trailers without end', `0\r\n${'a: bcd\r\n'.repeat(5000)}`],
  ['a bad end', '0\r\n\rX'],
];

describe('a malformed response', () => {
  it.each(MALFORMED_HEADS)('is refused before its head is out: %s', (_title, bytes) => {
    const parsed = parseResponse(bytes);
    expect(parsed).toMatchObject({ result: 'malformed', head: undefined, body: '', canReuse: false });
    expect(parsed.reason).not.toBe('');
  });

  it.each(MALFORMED_HEADS)('is refused in single bytes too: %s', (_title, bytes) => {
    const cuts = Array.from(bytes, (_byte, index) => index);
    expect(parseResponse(bytes, { cuts })).toMatchObject({ result: 'malformed', head: undefined });
  });

  it.each(MALFORMED_CHUNKS)('is refused for its chunks: %s', (_title, bytes) => {
    expect(parseResponse(CHUNKED + bytes)).toMatchObject({ result: 'malformed', canReuse: false });
    const cuts = Array.from(CHUNKED + bytes, (_byte, index) => index);
    expect(parseResponse(CHUNKED + bytes, { cuts })).toMatchObject({ result: 'malformed', canReuse: false });
  });

  it.each([
    ['within its head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['within its body', `${OK}content-length: 10\r\n\r\nhello`],
    ['within a chunk', `${CHUNKED}a\r\nhello`],
    ['before the last chunk', `${CHUNKED}5\r\nhello\r\n`],
    ['before the end of the trailers', `${CHUNKED}0\r\na: b\r\n`],
  ])('is one that ends %s', (_title, bytes) => {
    expect(parseResponse(bytes, { close: true })).toMatchObject({ result: 'closed early' });
  });
});

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const fieldValue = fc.stringMatching(
  /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,30}[\x21-\x7e\x80-\xff])?$/,
);
const FRAMING = ['content-length', 'transfer-encoding', 'connection', 'keep-alive'];
const headers = fc.array(
  fc.tuple(
    token.filter((name) => !FRAMING.includes(name.toLowerCase())),
    fieldValue,
  ),
  { maxLength: 12 },
);
const body = fc
  .string({ unit: 'binary', maxLength: 200 })
  .map((text) => Buffer.from(text).toString('latin1'));

const frameBody = (text: string, chunkSizes: readonly number[]): string => {
  let framed = '';
  let at = 0;
  for (const size of chunkSizes) {
    const chunk = text.slice(at, at + size);
    if (chunk !== '') framed += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    at += size;
  }
  const rest = text.slice(at);
  if (rest !== '') framed += `${rest.length.toString(16)};ext=1\r\n${rest}\r\n`;
  return `${framed}0\r\nX-Trailer: t\r\n\r\n`;
};

const validResponse = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    reason: fc.stringMatching(/^[\x20-\x7e]{0,20}$/),
    headers,
    body,
    framing: fc.constantFrom('length', 'chunked', 'close'),
    chunkSizes: fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }),
    interim: fc.integer({ min: 0, max: 2 }),
    longValue: fc.constantFrom(0, 0, 0, 3000),
  })
  .map((parts) => {
    const fields = [...parts.headers, ['x-long', 'l'.repeat(parts.longValue)]];
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const framing =
      parts.framing === 'length'
        ? `Content-Length: ${parts.body.length}\r\n`
        : parts.framing === 'chunked'
          ? 'Transfer-Encoding: chunked\r\n'
          : '';
    const text = parts.framing === 'chunked' ? frameBody(parts.body, parts.chunkSizes) : parts.body;
    const interim = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(parts.interim);
    const head = `HTTP/1.1 ${parts.status} ${parts.reason}\r\n${lines}${framing}\r\n`;
    return { ...parts, fields, bytes: interim + head + text };
  });

describe('whatever the network does', () => {
  it('reads any valid response the same way, wherever it is split', () => {
    fc.assert(
      fc.property(validResponse, fc.array(fc.nat(5000), { maxLength: 40 }), (response, cuts) => {
        const close = response.framing === 'close';
        const whole = parseResponse(response.bytes, { close });
        expect(whole.result).toBe(close ? 'complete by close' : 'complete');
        expect(whole.head?.status).toBe(response.status);
        expect(whole.body).toBe(response.body);
        expect(whole.head?.headers.slice(0, 2 * response.fields.length)).toEqual(response.fields.flat());
        expect(parseResponse(response.bytes, { close, cuts })).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it('neither throws nor invents a second head when bytes are changed, added or missing', () => {
    const mutation = fc.record({
      at: fc.nat(5000),
      remove: fc.nat(3),
      insert: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 3 }),
        fc.constantFrom('\r\n', '\n', '\r', '\0', '\r\n\r\n', ':', ' ', '0\r\n\r\n', 'Content-Length: 3\r\n'),
      ),
    });
    fc.assert(
      fc.property(
        validResponse,
        fc.array(mutation, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(5000), { maxLength: 10 }),
        fc.boolean(),
        (response, mutations, cuts, isHeadRequest) => {
          let bytes = response.bytes;
          for (const { at, remove, insert } of mutations) {
            const offset = at % (bytes.length + 1);
            bytes = bytes.slice(0, offset) + insert + bytes.slice(offset + remove);
          }
          const parsed = parseResponse(bytes, { cuts, isHeadRequest, close: true });
          if (parsed.result === 'malformed') expect(parsed.canReuse).toBe(false);
          else expect(['complete', 'complete by close', 'closed early']).toContain(parsed.result);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('reads noise without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (noise) => {
        expect(parseResponse(Buffer.from(noise), { close: true }).result).not.toBe('complete');
      }),
    );
  });
});
