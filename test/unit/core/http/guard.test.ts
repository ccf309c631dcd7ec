import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInspectedHead, inspectHead } from '../../../../core/http/guard.ts';

interface Head {
  readonly method?: string;
  readonly target?: string;
  readonly query?: string | undefined;
  /** Added behind Host, or in its place when it starts with one. */
  readonly headers?: readonly string[];
  readonly host?: readonly string[];
}

function inspect(head: Head) {
  const found = createInspectedHead();
  const headers = [...(head.host ?? ['host', 'api.example']), ...(head.headers ?? [])];
  const code = inspectHead(head.method ?? 'GET', head.target ?? '/', head.query, headers, found);
  return { code, found };
}

describe('a request the guard lets pass', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH', 'MY_METHOD'])(
    'may use the method %s',
    (method) => {
      expect(inspect({ method }).code).toBeUndefined();
    },
  );

  it.each(['api.example', 'API.Example:8000', 'a_b-c~d', '10.0.0.1:80', '[::1]', '[2001:db8::1]:8443', 'x:'])(
    'may name the host %s',
    (host) => {
      const { code, found } = inspect({ host: ['host', host] });
      expect(code).toBeUndefined();
      expect(found.host).toBe(host);
    },
  );

  it('tells the announced length', () => {
    expect(inspect({ headers: ['content-length', '0042'] }).found.bodyLength).toBe(42);
  });

  it.each(['chunked', 'Chunked', 'CHUNKED'])('tells a body in chunks, however %s is written', (value) => {
    const { code, found } = inspect({ headers: ['transfer-encoding', value] });
    expect(code).toBeUndefined();
    expect(found.bodyLength).toBe(-1);
  });

  it('has no body without a framing header, even after a request that had one', () => {
    const found = createInspectedHead();
    inspectHead('POST', '/', undefined, ['host', 'a', 'content-length', '5'], found);
    inspectHead('GET', '/', undefined, ['host', 'a'], found);
    expect(found).toEqual({ host: 'a', bodyLength: 0, hasUpgrade: false, hasForeignText: false });
  });

  it('may carry UTF-8 in a header value, and the listener is told', () => {
    const { code, found } = inspect({ headers: ['x-name', 'José'] });
    expect(code).toBeUndefined();
    expect(found.hasForeignText).toBe(true);
  });

  it('may have a tab inside a header value', () => {
    expect(inspect({ headers: ['x-a', 'b\tc'] }).code).toBeUndefined();
  });
});

describe('framing that two recipients could read differently', () => {
  it.each([
    ['two different lengths', ['content-length', '0', 'content-length', '44']],
    ['the same length twice', ['content-length', '5', 'content-length', '5']],
    ['a list of lengths', ['content-length', '5,5']],
    ['a signed length', ['content-length', '+5']],
    ['a negative length', ['content-length', '-1']],
    ['a hexadecimal length', ['content-length', '0x10']],
    ['an exponent', ['content-length', '1e3']],
    ['a fraction', ['content-length', '5.0']],
    ['an empty length', ['content-length', '']],
    ['a length beyond exact numbers', ['content-length', '9'.repeat(16)]],
    ['a length beside chunks', ['content-length', '5', 'transfer-encoding', 'chunked']],
    ['a length behind chunks', ['transfer-encoding', 'chunked', 'content-length', '5']],
    ['chunks twice', ['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked']],
    [
      'chunks and something else on two lines',
      ['transfer-encoding', 'chunked', 'transfer-encoding', 'identity'],
    ],
  ])('is refused with 400: %s', (_, headers) => {
    expect(inspect({ headers }).code).toBe('GW_BAD_REQUEST');
  });

  it.each(['gzip', 'identity', 'gzip, chunked', 'chunked, chunked', 'xchunked', 'chunked;q=1', ' ', ''])(
    'is refused with 501 when the only transfer encoding is "%s"',
    (value) => {
      expect(inspect({ headers: ['transfer-encoding', value] }).code).toBe('GW_TRANSFER_ENCODING_UNKNOWN');
    },
  );

  it('passes for any other length text only when it is plain digits', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (value) => {
        const { code } = inspect({ headers: ['content-length', value] });
        expect(code === undefined).toBe(/^[0-9]{1,15}$/.test(value));
      }),
    );
  });
});

describe('a Host that cannot be routed by', () => {
  it.each([
    ['none', []],
    ['an empty one', ['host', '']],
    ['two different ones', ['host', 'a', 'host', 'b']],
    ['the same one twice', ['host', 'a', 'host', 'a']],
    ['a list', ['host', 'a, b']],
    ['a path', ['host', 'a/b']],
    ['a backslash', ['host', 'a\\b']],
    ['credentials', ['host', 'user@a']],
    ['a query', ['host', 'a?b']],
    ['a fragment', ['host', 'a#b']],
    ['a space', ['host', 'a b']],
    ['empty labels', ['host', 'a..b']],
    ['a port that is no number', ['host', 'a:http']],
    ['two ports', ['host', 'a:1:2']],
    ['an open bracket', ['host', '[::1']],
    ['characters beyond ASCII', ['host', 'exämple']],
  ])('is refused with 400: %s', (_, host) => {
    expect(inspect({ host }).code).toBe('GW_BAD_REQUEST');
  });

  it('is judged again although the one before it was good', () => {
    expect(inspect({ host: ['host', 'good.example'] }).code).toBeUndefined();
    expect(inspect({ host: ['host', 'bad/example'] }).code).toBe('GW_BAD_REQUEST');
    expect(inspect({ host: ['host', 'good.example'] }).code).toBeUndefined();
  });
});

describe('a request line that is refused', () => {
  it.each(['TRACE', 'CONNECT'])('gets 405 for %s', (method) => {
    expect(inspect({ method }).code).toBe('GW_METHOD_NOT_ALLOWED');
  });

  it.each(['get', 'Get', 'G@T', 'G T', '', 'GET\0', 'GÉT', 'X!'])(
    'gets 400 for the method "%s"',
    (method) => {
      expect(inspect({ method }).code).toBe('GW_BAD_REQUEST');
    },
  );

  it.each(['*', '', 'http://a/', 'a', '/a b', '/a\tb', '/a\0', '/a\r\nb', '/caf\u00e9', '/a\x7f', '/\ufffd'])(
    'gets 400 for the target %j',
    (target) => {
      expect(inspect({ target }).code).toBe('GW_BAD_REQUEST');
    },
  );

  it.each(['a b', 'a\0', '\u00e9', '\x7f'])('gets 400 for the query %j', (query) => {
    expect(inspect({ query }).code).toBe('GW_BAD_REQUEST');
  });

  it('gets 414 when it is longer than 8 KiB, and passes at 8 KiB', () => {
    const longest = `/${'a'.repeat(8192 - 'GET / HTTP/1.1'.length)}`;
    expect(inspect({ target: longest }).code).toBeUndefined();
    expect(inspect({ target: `${longest}a` }).code).toBe('GW_URI_TOO_LONG');
    expect(inspect({ query: 'a'.repeat(8192) }).code).toBe('GW_URI_TOO_LONG');
  });
});

describe('a header that is refused', () => {
  it('gets 494, shown as 400, when one line is longer than 8 KiB', () => {
    expect(inspect({ headers: ['x', 'a'.repeat(8192)] }).code).toBe('GW_HEADERS_TOO_LARGE');
    expect(inspect({ headers: ['x', 'a'.repeat(8000), 'y', 'a'.repeat(8000)] }).code).toBeUndefined();
  });

  it('gets 400 for control characters and for bytes that are not UTF-8', () => {
    for (const bad of ['\0', '\x01', '\n', '\r', '\x1f', '\x7f', '\ufffd']) {
      expect(inspect({ headers: ['x', `a${bad}b`] }).code).toBe('GW_BAD_REQUEST');
    }
  });
});

it('never throws, whatever the head holds', () => {
  const names = fc.oneof(fc.constantFrom('host', 'content-length', 'transfer-encoding'), fc.string());
  const headers = fc.array(fc.tuple(names, fc.string({ unit: 'binary' }))).map((pairs) => pairs.flat());
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.option(fc.string(), { nil: undefined }), headers, (...head) => {
      const code = inspectHead(...head, createInspectedHead());
      expect(code === undefined || code.startsWith('GW_')).toBe(true);
    }),
  );
});
