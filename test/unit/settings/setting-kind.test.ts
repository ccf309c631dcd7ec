import { describe, expect, it } from 'vitest';
import { formatListener, type Listener, listenersWith } from '../../../core/settings/listener-kind.ts';
import {
  addressBlocks,
  byteSize,
  fraction,
  listOf,
  onOff,
  pluginList,
  redisUrl,
  type SettingKind,
  uuid,
  webUrls,
} from '../../../core/settings/setting-kind.ts';

function parsedValue<Value>(kind: SettingKind<Value>, text: string): Value | undefined {
  const parsed = kind.parse(text);
  return 'value' in parsed ? parsed.value : undefined;
}

const listeners = listenersWith('ssl', 'http2', 'strict');

describe('listeners', () => {
  const plain = { isSecure: false, speaksHttp2: false, isStrict: false };

  it.each<readonly [string, readonly Listener[]]>([
    ['0.0.0.0:8000', [{ address: '0.0.0.0', port: 8000, flags: [], ...plain }]],
    ['[::]:8000', [{ address: '::', port: 8000, flags: [], ...plain }]],
    ['localhost:0', [{ address: 'localhost', port: 0, flags: [], ...plain }]],
    [
      '0.0.0.0:1 reuseport backlog=16384',
      [{ address: '0.0.0.0', port: 1, flags: ['reuseport', 'backlog=16384'], ...plain }],
    ],
    [
      '0.0.0.0:2 http2 ssl',
      [{ address: '0.0.0.0', port: 2, flags: ['http2', 'ssl'], ...plain, isSecure: true, speaksHttp2: true }],
    ],
    ['0.0.0.0:3 strict', [{ address: '0.0.0.0', port: 3, flags: ['strict'], ...plain, isStrict: true }]],
    ['off', []],
  ])('understands %s', (text, expected) => {
    expect(parsedValue(listeners, text)).toEqual(expected);
  });

  it('understands a list', () => {
    expect(parsedValue(listeners, '127.0.0.1:1, [::1]:2')?.map(formatListener)).toEqual([
      '127.0.0.1:1',
      '[::1]:2',
    ]);
  });

  it.each([
    '8000',
    ':8000',
    '0.0.0.0',
    '0.0.0.0:65536',
    '0.0.0.0:x',
    '300.0.0.1:80',
    '::1:80',
    '[1.2.3.4]:80',
    '[zz]:80',
    'a b:80',
    ',',
    '0.0.0.0:8000 proxy_protocol',
    '0.0.0.0:8000 backlog=x',
  ])('refuses %s', (text) => {
    expect(parsedValue(listeners, text)).toBeUndefined();
  });
});

it.each([
  ['0', 0],
  ['8192', 8192],
  ['8k', 8192],
  ['1M', 1_048_576],
  ['2g', 2_147_483_648],
  ['-1', undefined],
  ['1.5m', undefined],
  ['1mb', undefined],
  ['99999999999999999g', undefined],
])('reads the byte size %s as %s', (text, expected) => {
  expect(parsedValue(byteSize, text)).toBe(expected);
});

it.each([
  ['10.0.0.0/8, ::1, fe80::/10', ['10.0.0.0/8', '::1', 'fe80::/10']],
  ['0.0.0.0/0,::/0', ['0.0.0.0/0', '::/0']],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0/8/8', undefined],
  ['localhost', undefined],
])('reads the address blocks %s as %s', (text, expected) => {
  expect(parsedValue(addressBlocks, text)).toEqual(expected);
});

it('reads switches in both spellings and shows them as on and off', () => {
  expect(['on', 'TRUE', 'off', 'false', '1'].map((text) => parsedValue(onOff, text))).toEqual([
    true,
    true,
    false,
    false,
    undefined,
  ]);
  expect(onOff.show?.(true)).toBe('on');
});

it('reads a list of known words in any case, and off as none of them', () => {
  const kind = listOf('Via', 'X-Kong-Request-Id');
  expect(parsedValue(kind, 'via, x-kong-request-id, VIA')).toEqual(['Via', 'X-Kong-Request-Id']);
  expect(parsedValue(kind, 'off')).toEqual([]);
  expect(parsedValue(kind, 'Via, off')).toBeUndefined();
});

it('reads plugin lists', () => {
  expect(parsedValue(pluginList, 'bundled, my-plugin')).toEqual(['bundled', 'my-plugin']);
  expect(parsedValue(pluginList, 'off')).toEqual([]);
  expect(parsedValue(pluginList, '../evil')).toBeUndefined();
});

it('reads UUIDs and web addresses', () => {
  expect(parsedValue(uuid, 'A3B1C2D4-0000-4000-8000-000000000000')).toBe(
    'a3b1c2d4-0000-4000-8000-000000000000',
  );
  expect(parsedValue(uuid, 'no')).toBeUndefined();
  expect(parsedValue(webUrls, 'http://a:8002, https://b')).toEqual(['http://a:8002', 'https://b']);
  expect(parsedValue(webUrls, 'javascript:alert(1)')).toBeUndefined();
});

it.each(['redis://h', 'redis://h:7000/', 'rediss://u:p%40@h:7000/15', 'redis://[::1]'])('takes %s', (url) => {
  expect(parsedValue(redisUrl, url)).toBe(url);
});

it.each([
  'h:6379',
  'http://h',
  'redis://',
  'redis://h/db',
  'redis://h/1/2',
  'redis://:%ff@h',
  'redis://:%@h',
])('refuses %s as a Redis', (url) => {
  expect(parsedValue(redisUrl, url)).toBeUndefined();
});

describe('fractions', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['0.01', 0.01],
    ['.5', 0.5],
  ])('understand %s', (text, expected) => {
    expect(parsedValue(fraction, text)).toBe(expected);
  });

  it.each(['', '-0.1', '1.01', '2', '1e-3', 'NaN', '0x1', '.', '5%'])('refuse %j', (text) => {
    expect(parsedValue(fraction, text)).toBeUndefined();
  });
});
