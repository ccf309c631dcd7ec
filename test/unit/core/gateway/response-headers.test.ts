import { describe, expect, it } from 'vitest';
import { applyHeaderOverrides, compileResponseHeaders } from '../../../../core/gateway/response-headers.ts';

const DEFAULT_HEADERS = [
  'Server',
  'Via',
  'X-Kong-Proxy-Latency',
  'X-Kong-Response-Latency',
  'X-Kong-Upstream-Latency',
  'X-Kong-Admin-Latency',
  'X-Kong-Request-Id',
];
const TOKEN = 'tollgate/1.2.3';

function policyOf(added: readonly string[] = DEFAULT_HEADERS, hasOwnDate = false) {
  return compileResponseHeaders({ added: new Set(added), productToken: TOKEN, hasOwnDate });
}

const FACTS = { requestId: 'id', proxyMs: 1.9, upstreamMs: 20.2, upstreamStatus: 201 };

/** What reaches the client of these headers of an upstream when the gateway adds nothing. */
function relay(...headers: string[]): string[] {
  return policyOf([]).proxied(headers, FACTS);
}

describe('headers of a proxied answer', () => {
  it('are the upstream’s and the gateway’s', () => {
    expect(policyOf().proxied(['ETag', '"x"', 'Set-Cookie', 'a', 'Set-Cookie', 'b'], FACTS)).toEqual([
      ...['ETag', '"x"', 'Set-Cookie', 'a', 'Set-Cookie', 'b'],
      ...['Server', TOKEN],
      ...['Via', `1.1 ${TOKEN}`],
      ...['X-Kong-Upstream-Latency', '20'],
      ...['X-Kong-Proxy-Latency', '1'],
      ...['X-Kong-Request-Id', 'id'],
    ]);
  });

  it('lose what belongs to the upstream’s connection', () => {
    const headers = ['Connection', 'Keep-Alive', 'Upgrade', 'Trailer', 'transfer-encoding', 'CONTENT-LENGTH'];
    expect(relay(...headers.flatMap((name) => [name, 'x']), 'X-A', '1')).toEqual(['X-A', '1']);
  });

  it('lose what the upstream’s Connection names', () => {
    expect(relay('X-A', '1', 'Connection', 'close, x-a', 'X-B', '2')).toEqual(['X-B', '2']);
    expect(relay('X-A', '1', 'Connection', 'keep-alive')).toEqual(['X-A', '1']);
  });

  it('keep Date, Location and other headers in their spelling', () => {
    const headers = ['date', 'Mon', 'LOCATION', 'http://upstream/', 'x-kong-other', '1'];
    expect(relay(...headers)).toEqual(headers);
  });

  it('lose Date where the listener writes its own', () => {
    expect(policyOf([], true).proxied(['Date', 'Mon', 'X-A', '1'], FACTS)).toEqual(['X-A', '1']);
  });

  it('keep the upstream’s Server, also when the gateway adds nothing', () => {
    expect(policyOf(['Server']).proxied(['server', 'nginx'], FACTS)).toEqual(['server', 'nginx']);
    expect(relay('Server', 'nginx')).toEqual(['Server', 'nginx']);
  });

  it('extend the upstream’s Via', () => {
    expect(policyOf(['Via']).proxied(['via', '1.0 x'], FACTS)).toEqual(['Via', `1.0 x, 1.1 ${TOKEN}`]);
    expect(relay('via', '1.0 x')).toEqual(['via', '1.0 x']);
  });

  it('take the gateway’s own X-Kong headers over those of another gateway behind', () => {
    const headers = ['x-kong-request-id', 'theirs', 'X-Kong-Proxy-Latency', '99'];
    expect(policyOf(['X-Kong-Request-Id', 'X-Kong-Proxy-Latency']).proxied(headers, FACTS)).toEqual([
      ...['X-Kong-Proxy-Latency', '1'],
      ...['X-Kong-Request-Id', 'id'],
    ]);
    expect(relay(...headers)).toEqual(headers);
  });

  it('show the upstream’s status when asked to', () => {
    expect(policyOf(['X-Kong-Upstream-Status']).proxied([], FACTS)).toEqual([
      'X-Kong-Upstream-Status',
      '201',
    ]);
  });

  it('never show a negative latency', () => {
    const facts = { ...FACTS, upstreamMs: -3 };
    expect(policyOf(['X-Kong-Upstream-Latency']).proxied([], facts)).toEqual([
      'X-Kong-Upstream-Latency',
      '0',
    ]);
  });

  it('name a charset for the five types that have none', () => {
    const types = ['text/html', 'Text/Plain', 'text/xml', 'application/javascript', 'application/rss+xml'];
    for (const type of types)
      expect(relay('content-type', type)).toEqual(['content-type', `${type}; charset=UTF-8`]);
    for (const type of ['application/json', 'text/html; charset=latin1', 'text/css', 'text/event-stream']) {
      expect(relay('content-type', type)).toEqual(['content-type', type]);
    }
  });
});

describe('headers of the gateway’s own answer', () => {
  it('carry the response latency, and no Via', () => {
    expect(policyOf().own(['A', '1'], { requestId: 'id', latencyMs: 3.7, upstream: undefined })).toEqual([
      ...['A', '1'],
      ...['Server', TOKEN],
      ...['X-Kong-Response-Latency', '3'],
      ...['X-Kong-Request-Id', 'id'],
    ]);
  });

  it('count as proxied once an upstream was tried', () => {
    const upstream = { proxyMs: 1, upstreamMs: 60_000 };
    expect(policyOf().own([], { requestId: 'id', latencyMs: 60_001, upstream })).toEqual([
      ...['Server', TOKEN],
      ...['Via', `1.1 ${TOKEN}`],
      ...['X-Kong-Upstream-Latency', '60000'],
      ...['X-Kong-Proxy-Latency', '1'],
      ...['X-Kong-Request-Id', 'id'],
    ]);
  });

  it('are left as they are with the setting off', () => {
    expect(policyOf([]).own(['A', '1'], { requestId: 'id', latencyMs: 1, upstream: undefined })).toEqual([
      'A',
      '1',
    ]);
  });
});

describe('applyHeaderOverrides', () => {
  it('sets, adds and removes whatever the case of the names', () => {
    const headers = ['X-Set', '1', 'x-set', '2', 'x-add', '1', 'X-Remove', '1', 'keep', '1'];
    const overrides = ['s', 'x-SET', 'new', 'a', 'X-Add', '2', 'r', 'x-remove', ''];
    expect(applyHeaderOverrides(headers, overrides)).toEqual([
      ...['x-add', '1', 'keep', '1'],
      ...['x-SET', 'new', 'X-Add', '2'],
    ]);
  });

  it('leaves framing and the request id alone', () => {
    const headers = ['X-Kong-Request-Id', 'id'];
    const overrides = [
      's',
      'X-Kong-Request-Id',
      'other',
      's',
      'Content-Length',
      '9',
      'r',
      'x-kong-request-id',
      '',
    ];
    expect(applyHeaderOverrides(headers, overrides)).toEqual(headers);
  });

  it('refuses values that would split the head', () => {
    expect(() => applyHeaderOverrides([], ['s', 'x', 'a\r\nb: c'])).toThrow(
      expect.objectContaining({ code: 'GW_PLUGIN_FAILED' }),
    );
  });

  it('turns text into bytes', () => {
    expect(applyHeaderOverrides([], ['s', 'x', '\u010d'])).toEqual(['x', '\u00c4\u008d']);
  });
});
