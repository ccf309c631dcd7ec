/** Requests of which two parties could disagree where they end. */
import { chunked, type HostileCase, head, type IngressKind, post, SMUGGLED } from './case.ts';

const LENGTH = `Content-Length: ${SMUGGLED.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const NO_CHUNKS = '0\r\n\r\n';

const BAD_LENGTHS = [
  ...[
    '+5',
    '-5',
    '-0',
    '0x5',
    '5.0',
    '5e0',
    '5,5',
    '5, 5',
    '5 5',
    '5;',
    '"5"',
    "'5'",
    '\xef\xbc\x95',
    'five',
    'NaN',
  ],
  ...['', ' ', '\t', '5\x0b', '\x0c5', '5\x00', '5\x7f', '1_0', '5L', '\xb2'],
  ...['9999999999999999', '18446744073709551621', '4'.repeat(300)],
];

const BAD_ENCODINGS = [
  ...['identity', 'gzip', 'compress', 'deflate', 'cow', 'xchunked', 'chunkedx', 'chunk', 'chunked chunked'],
  ...['gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked, identity', 'identity, chunked'],
  ...[',chunked', 'chunked,', 'chunked;q=1', '"chunked"', "'chunked'", '', 'chunked\x0b', '\x0cchunked'],
  ...[
    '\x00chunked',
    'chunked\x00',
    'chunked\x7f',
    'chunked\xa0',
    '\xe2chunked',
    '\xef\xbd\x83hunked',
    'trailers',
    'chu nked',
  ],
];

export const LENGTH_CASES: readonly HostileCase[] = [
  { title: 'two lengths that differ', bytes: post(['Content-Length: 0', LENGTH]) },
  { title: 'two lengths that differ, the longer first', bytes: post([LENGTH, 'Content-Length: 0']) },
  { title: 'the same length twice', bytes: post(['Content-Length: 0', 'Content-Length: 0']) },
  {
    title: 'the same length twice, in different cases',
    bytes: post(['content-length: 0', 'CONTENT-LENGTH: 0']),
  },
  { title: 'three lengths', bytes: post(['Content-Length: 0', 'Content-Length: 1', 'Content-Length: 2']) },
  { title: 'two lengths of a GET', bytes: head('GET / HTTP/1.1', 'Content-Length: 0', LENGTH) },
  { title: 'a signed length of a GET', bytes: head('GET / HTTP/1.1', 'Content-Length: +0') },
  ...BAD_LENGTHS.map((length) => ({
    title: `a length of ${JSON.stringify(length)}`.slice(0, 60),
    bytes: post(`Content-Length: ${length}`, 'hello'),
  })),
];

export const ENCODING_CASES: readonly HostileCase[] = [
  { title: 'a length and chunks', bytes: post([LENGTH, CHUNKED], NO_CHUNKS) },
  { title: 'chunks and a length', bytes: post([CHUNKED, LENGTH], NO_CHUNKS) },
  { title: 'a length of 0 and chunks', bytes: post(['Content-Length: 0', CHUNKED], NO_CHUNKS) },
  { title: 'chunks and a length of a GET', bytes: head('GET / HTTP/1.1', CHUNKED, LENGTH) + NO_CHUNKS },
  { title: 'chunked twice', bytes: post([CHUNKED, CHUNKED], NO_CHUNKS) },
  { title: 'chunked, then identity', bytes: post([CHUNKED, 'Transfer-Encoding: identity'], NO_CHUNKS) },
  { title: 'identity, then chunked', bytes: post(['Transfer-Encoding: identity', CHUNKED], NO_CHUNKS) },
  { title: 'gzip and a length', bytes: post(['Transfer-Encoding: gzip', LENGTH], NO_CHUNKS) },
  { title: 'chunks, then a folded coding', bytes: post([CHUNKED, ' , identity'], NO_CHUNKS) },
  { title: 'a coding on a folded line', bytes: post(['Transfer-Encoding:', ' chunked'], NO_CHUNKS) },
  { title: 'a blank before the colon of the coding', bytes: post('Transfer-Encoding : chunked', NO_CHUNKS) },
  { title: 'a tab before the colon of the coding', bytes: post('Transfer-Encoding\t: chunked', NO_CHUNKS) },
  { title: 'a blank before the name of the coding', bytes: post(' Transfer-Encoding: chunked', NO_CHUNKS) },
  { title: 'a coding behind a bare LF', bytes: post('X: y\nTransfer-Encoding: chunked', NO_CHUNKS) },
  {
    title: 'a coding behind a bare CR',
    bytes: post('X: y\rTransfer-Encoding: chunked', NO_CHUNKS),
    late: ['default'],
  },
  { title: 'a length behind a bare LF', bytes: post(`X: y\n${LENGTH}`) },
  { title: 'a NUL in the name of the coding', bytes: post('Transfer-Encoding\0: chunked', NO_CHUNKS) },
  { title: 'chunks in HTTP/1.0', bytes: head('POST / HTTP/1.0', CHUNKED) + NO_CHUNKS },
  ...BAD_ENCODINGS.map((coding) => ({
    title: `a transfer coding of ${JSON.stringify(coding)}`,
    bytes: post(`Transfer-Encoding: ${coding}`, NO_CHUNKS),
    // Bytes beyond ASCII are cut off by the library before it shows the value; it then reads chunks itself.
    ...(/^\xe2|\xa0$/.test(coding) ? { served: ['default'] as const } : {}),
  })),
];

/**
 * µWebSockets.js reads some of these as long chunks and waits for them, until the time for bodies is over; what it takes
 * for a second request gets a page of its own.
 */
const LATE = [400, 408, 505];
const DEFAULT: readonly IngressKind[] = ['default'];

export const CHUNK_CASES: readonly HostileCase[] = [
  { title: 'a size that is no number', bytes: chunked('zz\r\nhello\r\n0\r\n\r\n') },
  { title: 'a size of g', bytes: chunked('g\r\nhello\r\n0\r\n\r\n'), status: LATE },
  { title: 'a signed size', bytes: chunked('+5\r\nhello\r\n0\r\n\r\n'), status: LATE },
  { title: 'a negative size', bytes: chunked('-5\r\nhello\r\n0\r\n\r\n') },
  { title: 'a size with a prefix', bytes: chunked('0x5\r\nhello\r\n0\r\n\r\n') },
  {
    title: 'a size with a blank before it',
    bytes: chunked(' 5\r\nhello\r\n0\r\n\r\n'),
    served: DEFAULT,
  },
  { title: 'an empty size', bytes: chunked('\r\nhello\r\n0\r\n\r\n'), served: DEFAULT },
  { title: 'a size over 2^64', bytes: chunked('10000000000000005\r\nhello\r\n0\r\n\r\n') },
  { title: 'a size of 40 digits', bytes: chunked(`${'f'.repeat(40)}\r\nhello\r\n0\r\n\r\n`) },
  {
    title: 'a size behind 300 zeros',
    bytes: chunked(`${'0'.repeat(300)}5\r\nhello\r\n0\r\n\r\n`),
    served: ['default', 'strict'],
  },
  {
    title: 'more data than announced',
    bytes: chunked('5\r\nhello!\r\n0\r\n\r\n'),
    status: LATE,
    served: DEFAULT,
  },
  {
    title: 'less data than announced',
    bytes: chunked('8\r\nhello\r\n0\r\n\r\n'),
    status: LATE,
    served: DEFAULT,
  },
  {
    title: 'data without CRLF behind it',
    bytes: chunked('5\r\nhello0\r\n\r\n'),
    status: LATE,
    served: DEFAULT,
  },
  {
    title: 'LF alone behind the size',
    bytes: chunked('5\nhello\r\n0\r\n\r\n'),
    served: DEFAULT,
  },
  {
    title: 'LF alone behind the data',
    bytes: chunked('5\r\nhello\n0\r\n\r\n'),
    status: LATE,
    served: DEFAULT,
  },
  { title: 'CR alone behind the size', bytes: chunked('5\rhello\r\n0\r\n\r\n'), status: LATE },
  { title: 'NUL in the size', bytes: chunked('5\0\r\nhello\r\n0\r\n\r\n'), served: DEFAULT },
  { title: 'an extension with a bare LF', bytes: chunked('5;a\nhello\r\n0\r\n\r\n'), status: LATE },
  { title: 'an extension with a request', bytes: chunked(`5;${SMUGGLED}hello\r\n0\r\n\r\n`), status: LATE },
  {
    title: 'an extension of 100 KB',
    bytes: chunked(`5;a=${'b'.repeat(100_000)}\r\nhello\r\n0\r\n\r\n`),
    status: [...LATE, 413, 431],
  },
  { title: 'trailers that are a request', bytes: chunked(`0\r\n${SMUGGLED}`), status: LATE, served: DEFAULT },
  {
    title: 'trailers of 100 KB',
    bytes: chunked(`0\r\n${'a: bcd\r\n'.repeat(12_500)}\r\n`),
    status: [...LATE, 413, 431],
    served: DEFAULT,
  },
  {
    title: 'a trailer without a colon',
    bytes: chunked('0\r\nnonsense\r\n\r\n'),
    status: LATE,
    served: DEFAULT,
  },
  { title: 'a folded trailer', bytes: chunked('0\r\na: b\r\n c\r\n\r\n'), status: LATE, served: DEFAULT },
  { title: 'chunks that never end', bytes: chunked('5\r\nhello\r\n'), status: LATE },
  { title: 'nothing where chunks should be', bytes: chunked(''), status: LATE },
  { title: 'a request in place of chunks', bytes: chunked(SMUGGLED) },
];
