import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RequestHeadInput, writeRequestHead } from '../../../../core/gateway/forward-headers.ts';

type Exchange = RequestHeadInput['exchange'];

const EXCHANGE: Exchange = {
  headers: [],
  host: 'Client.Example:8000',
  rawPath: '/a//b',
  scheme: 'http',
  httpVersion: '1.1',
  peerAddress: '10.0.0.1',
  localPort: 8000,
};

const INPUT: RequestHeadInput = {
  method: 'GET',
  target: '/x?y=1',
  exchange: EXCHANGE,
  host: 'upstream:8080',
  clientAddress: '10.0.0.1',
  isTrusted: false,
  strippedPrefix: '',
  requestId: 'f'.repeat(32),
  productToken: 'tollgate/1.2.3',
  overrides: null,
  framing: undefined,
};

interface Change extends Partial<Omit<RequestHeadInput, 'exchange'>> {
  readonly exchange?: Partial<Exchange>;
}

/** Lines of the head: the request line, then the headers. */
function linesOf({ exchange, ...change }: Change): string[] {
  const head = writeRequestHead({ ...INPUT, ...change, exchange: { ...EXCHANGE, ...exchange } });
  expect(head.endsWith('\r\n\r\n')).toBe(true);
  return head.slice(0, -4).split('\r\n');
}

/** Values of a header, in order. */
function valuesOf(name: string, change: Change): string[] {
  return linesOf(change)
    .slice(1)
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
    .map((line) => line.slice(name.length + 2));
}

const withHeaders = (...headers: string[]): Change => ({ exchange: { headers } });

describe('writeRequestHead', () => {
  it('writes the request line, the host and what the gateway says of the client', () => {
    expect(linesOf({})).toEqual([
      'GET /x?y=1 HTTP/1.1',
      'Host: upstream:8080',
      'Connection: keep-alive',
      'Via: 1.1 tollgate/1.2.3',
      'X-Real-IP: 10.0.0.1',
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: client.example',
      'X-Forwarded-Port: 8000',
      'X-Forwarded-Path: /a//b',
      `X-Kong-Request-Id: ${'f'.repeat(32)}`,
    ]);
  });

  it('passes the client’s headers, repeated ones line by line', () => {
    const lines = linesOf(
      withHeaders('accept', '*/*', 'cookie', 'a=1', 'cookie', 'b=2', 'x_y', '1', 'range', 'r'),
    );
    expect(lines.slice(2, 7)).toEqual(['accept: */*', 'cookie: a=1', 'cookie: b=2', 'x_y: 1', 'range: r']);
  });

  it('passes Proxy-Authorization and Trailer', () => {
    expect(valuesOf('proxy-authorization', withHeaders('proxy-authorization', 'x'))).toEqual(['x']);
    expect(valuesOf('trailer', withHeaders('trailer', 'x'))).toEqual(['x']);
  });

  it('drops what belongs to the client’s connection', () => {
    for (const name of [
      'keep-alive',
      'proxy-connection',
      'proxy',
      'expect',
      'upgrade',
      'te',
      'transfer-encoding',
    ]) {
      expect(valuesOf(name, withHeaders(name, 'x'))).toEqual([]);
    }
    expect(valuesOf('content-length', withHeaders('content-length', '5'))).toEqual([]);
  });

  it('drops names with other characters than letters, digits, hyphens and underscores', () => {
    expect(linesOf(withHeaders('x.y', '1', 'x:y', '1', 'x y', '1', "x'", '1'))).toEqual(linesOf({}));
  });

  it('drops what the client’s Connection names', () => {
    const change = withHeaders('x-a', '1', 'connection', 'keep-alive, X-A', 'x-b', '2', 'connection', 'x-b');
    expect(valuesOf('x-a', change)).toEqual([]);
    expect(valuesOf('x-b', change)).toEqual([]);
    expect(valuesOf('connection', change)).toEqual(['keep-alive']);
  });

  it('keeps TE only as far as it lists trailers', () => {
    expect(valuesOf('te', withHeaders('te', 'gzip, Trailers'))).toEqual(['trailers']);
  });

  it('passes an upgrade to WebSocket on only when it will be relayed', () => {
    const change = withHeaders('connection', 'Upgrade', 'upgrade', 'WebSocket');
    expect(valuesOf('upgrade', change)).toEqual([]);
    expect(valuesOf('upgrade', { ...change, relaysWebSocket: true })).toEqual(['websocket']);
    expect(valuesOf('connection', { ...change, relaysWebSocket: true })).toEqual(['keep-alive, Upgrade']);
    expect(valuesOf('upgrade', withHeaders('upgrade', 'h2c'))).toEqual([]);
  });

  it('writes the framing it is told', () => {
    expect(linesOf({ framing: { contentLength: 5 } }).at(-1)).toBe('Content-Length: 5');
    expect(linesOf({ framing: 'chunked' }).at(-1)).toBe('Transfer-Encoding: chunked');
  });

  it('adds itself to Via with the version of the client’s connection', () => {
    expect(valuesOf('via', withHeaders('via', '1.0 a', 'via', '1.0 b'))).toEqual([
      '1.0 a, 1.1 tollgate/1.2.3',
    ]);
    expect(valuesOf('via', { exchange: { httpVersion: '1.0' } })).toEqual(['1 tollgate/1.2.3']);
    expect(valuesOf('via', { exchange: { httpVersion: '2' } })).toEqual(['2 tollgate/1.2.3']);
  });

  it('extends X-Forwarded-For with the peer whether it is trusted or not', () => {
    const change = withHeaders('x-forwarded-for', '1.1.1.1', 'x-forwarded-for', '9.9.9.9');
    for (const isTrusted of [false, true]) {
      expect(valuesOf('x-forwarded-for', { ...change, isTrusted, clientAddress: '1.1.1.1' })).toEqual([
        '1.1.1.1, 10.0.0.1',
      ]);
    }
    expect(valuesOf('x-forwarded-for', { clientAddress: '2.2.2.2' })).toEqual(['2.2.2.2']);
  });

  it('overwrites X-Real-IP', () => {
    expect(
      valuesOf('x-real-ip', { ...withHeaders('x-real-ip', '6.6.6.6'), clientAddress: '7.7.7.7' }),
    ).toEqual(['7.7.7.7']);
  });

  it('believes the other X-Forwarded headers of trusted peers only', () => {
    const names = ['proto', 'host', 'port', 'path', 'prefix'].map((part) => `x-forwarded-${part}`);
    const change = { ...withHeaders(...names.flatMap((name) => [name, 'told'])), strippedPrefix: '/p' };
    expect(names.map((name) => valuesOf(name, { ...change, isTrusted: true }))).toEqual(
      names.map(() => ['told']),
    );
    expect(names.map((name) => valuesOf(name, change))).toEqual([
      ['http'],
      ['client.example'],
      ['8000'],
      ['/a//b'],
      ['/p'],
    ]);
  });

  it('says the same of a trusted peer that sent none of them', () => {
    expect(linesOf({ isTrusted: true, strippedPrefix: '/p' })).toEqual(linesOf({ strippedPrefix: '/p' }));
  });

  it('removes X-Forwarded-Prefix where nothing was stripped', () => {
    expect(valuesOf('x-forwarded-prefix', withHeaders('x-forwarded-prefix', '/evil'))).toEqual([]);
  });

  it('encodes the stripped prefix, so that a decoded line break cannot split the head', () => {
    expect(valuesOf('x-forwarded-prefix', { strippedPrefix: '/a\r\nX: y' })).toEqual(['/a%0D%0AX:%20y']);
  });

  it('leaves X-Forwarded-Host out where the client sent no Host', () => {
    expect(valuesOf('x-forwarded-host', { exchange: { host: undefined } })).toEqual([]);
  });

  it('keeps the brackets of an IPv6 literal in X-Forwarded-Host', () => {
    expect(valuesOf('x-forwarded-host', { exchange: { host: '[::1]:80' } })).toEqual(['[::1]']);
    expect(valuesOf('x-forwarded-host', { exchange: { host: '[::1]' } })).toEqual(['[::1]']);
  });

  it('overwrites the client’s and a plugin’s request id', () => {
    const change: Change = {
      ...withHeaders('x-kong-request-id', 'a'),
      overrides: ['s', 'X-Kong-Request-Id', 'b'],
    };
    expect(valuesOf('x-kong-request-id', change)).toEqual(['f'.repeat(32)]);
  });

  it('passes the client’s request id where the gateway sends none', () => {
    const change = { ...withHeaders('x-kong-request-id', 'a'), requestId: undefined };
    expect(valuesOf('x-kong-request-id', change)).toEqual(['a']);
  });

  describe('with operations of plugins', () => {
    it('sets, adds and removes', () => {
      const change: Change = {
        ...withHeaders('x-set', '1', 'x-set', '2', 'x-add', '1', 'x-remove', '1'),
        overrides: ['s', 'X-Set', 'new', 'a', 'X-Add', '2', 'r', 'X-Remove', ''],
      };
      expect(valuesOf('x-set', change)).toEqual(['new']);
      expect(valuesOf('x-add', change)).toEqual(['1', '2']);
      expect(valuesOf('x-remove', change)).toEqual([]);
    });

    it('lets a later operation undo an earlier one', () => {
      const overrides = ['a', 'x-a', '1', 's', 'X-A', '2', 'a', 'x-a', '3', 's', 'x-b', '1', 'r', 'x-b', ''];
      expect(valuesOf('x-a', { overrides })).toEqual(['2', '3']);
      expect(valuesOf('x-b', { overrides })).toEqual([]);
    });

    it('keeps what they set even if the client’s Connection names it', () => {
      const change: Change = {
        ...withHeaders('connection', 'x-consumer-username', 'x-consumer-username', 'evil'),
        overrides: ['s', 'X-Consumer-Username', 'free'],
      };
      expect(valuesOf('x-consumer-username', change)).toEqual(['free']);
    });

    it('removes identity headers the client spelt with underscores', () => {
      const change: Change = {
        ...withHeaders(
          'x_consumer_id',
          'evil',
          'x-consumer_id',
          'evil',
          'x_anonymous_consumer',
          'true',
          'x_other',
          '1',
        ),
        overrides: ['s', 'X-Consumer-ID', 'real', 'r', 'X-Anonymous-Consumer', '', 's', 'X-Other', '2'],
      };
      const text = linesOf(change).join('\n');
      expect(text).not.toContain('evil');
      expect(text).not.toContain('x_anonymous_consumer');
      expect(text).toContain('x_other: 1');
    });

    it('drops a client’s other spellings of what the gateway writes itself', () => {
      for (const name of [
        'content_length',
        'transfer_encoding',
        'x_forwarded-for',
        'x_real_ip',
        'proxy_connection',
      ]) {
        expect(valuesOf(name, withHeaders(name, '5'))).toEqual([]);
      }
    });

    it('lets nobody but plugins and trusted peers say who the client is', () => {
      const names = ['x-consumer-id', 'x_consumer_username', 'x-consumer_custom-id', 'x-consumer-groups'];
      names.push('x-credential-identifier', 'x_credential-identifier', 'x-anonymous_consumer');
      for (const name of names) {
        const claim = withHeaders(name, 'me');
        expect(valuesOf(name, claim)).toEqual([]);
        expect(valuesOf(name, { ...claim, isTrusted: true })).toEqual(['me']);
        expect(valuesOf(name, { ...claim, isTrusted: true, overrides: ['r', name, ''] })).toEqual([]);
      }
      expect(valuesOf('x-consumer', withHeaders('x-consumer', 'me'))).toEqual(['me']);
    });

    it('sends the Host a plugin sets', () => {
      const overrides = ['s', 'Host', 'other'];
      expect(valuesOf('host', { overrides })).toEqual(['other']);
      expect(valuesOf('host', { overrides: ['r', 'host', ''] })).toEqual(['upstream:8080']);
    });

    it('leaves framing and the connection alone', () => {
      const overrides = [
        's',
        'Content-Length',
        '99',
        's',
        'Transfer-Encoding',
        'chunked',
        's',
        'Connection',
        'close',
      ];
      expect(linesOf({ overrides, framing: { contentLength: 5 } })).toEqual(
        linesOf({ framing: { contentLength: 5 } }),
      );
    });

    it('refuses values that would split the head', () => {
      for (const value of ['a\r\nX: y', 'a\nb', 'a\0']) {
        expect(() => linesOf({ overrides: ['s', 'x-a', value] })).toThrow(
          expect.objectContaining({ code: 'GW_PLUGIN_FAILED' }),
        );
      }
    });

    it('sends text as UTF-8, and bytes that are UTF-8 already as they are', () => {
      const bytes = 'Jos\u00c3\u00a9';
      expect(valuesOf('x-a', { overrides: ['s', 'x-a', 'José'] })).toEqual([bytes]);
      expect(valuesOf('x-a', { overrides: ['s', 'x-a', bytes] })).toEqual([bytes]);
      expect(valuesOf('x-a', { overrides: ['s', 'x-a', '\u010d\u010a'] })).toEqual([
        '\u00c4\u008d\u00c4\u008a',
      ]);
    });
  });

  it('never yields a head that latin1 would cut into other bytes or other lines', () => {
    const text = fc.string({ unit: 'binary', maxLength: 8 }).map((value) => value.replace(/[\r\n\0]/g, ''));
    fc.assert(
      fc.property(text, text, (clientValue, pluginValue) => {
        const head = writeRequestHead({
          ...INPUT,
          exchange: { ...EXCHANGE, headers: ['x-client', clientValue] },
          overrides: ['a', 'x-plugin', pluginValue],
        });
        const bytes = Buffer.from(head, 'latin1');
        expect(bytes.toString('latin1')).toBe(head);
        expect(head.split('\n').length).toBe(linesOf({}).length + 4);
      }),
    );
  });
});
