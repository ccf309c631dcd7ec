import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { censorText, censorValue, isSecretName } from '../../../core/telemetry/censor.ts';

const shown = (value: unknown) => JSON.stringify(censorValue(value));

describe('names', () => {
  it.each([
    'apikey',
    'API-Key',
    'key',
    'x_api_key',
    'redis_password',
    'pgPassword',
    'Authorization',
    'proxy-authorization',
    'Set-Cookie',
    'client_secret',
    'accessToken',
    'privateKey',
  ])('of secrets are known: %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['monkey', 'key_names', 'key-auth', 'route', 'accept', 'hide_credentials_of', 'tokens_per_minute'])(
    'of other things stay readable: %s',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );
});

describe('texts', () => {
  it.each([
    ['cannot reach postgres://gate:hush@db:5432/x', 'cannot reach postgres://******@db:5432/x'],
    ['redis://:hush@cache', 'redis://******@cache'],
    ['GET /ai?apikey=hush&size=1', 'GET /ai?apikey=******&size=1'],
    ['Authorization: Basic dXNlcjpodXNo', 'Authorization: ******'],
    ['sent authorization: Bearer abc.def and more', 'sent authorization: ****** and more'],
    ['the client sent Basic dXNlcjpodXNo=', 'the client sent Basic ******'],
    ['UNIQUE violation detected on \'{key="hush hush"}\'', 'UNIQUE violation detected on \'{key="******"}\''],
    ['Key (key)=(hush) already exists.', 'Key (key)=(******) already exists.'],
    ['{"password":"hu\\"sh","size":1}', '{"password":"******","size":1}'],
    [String.raw`{"text":"{\"password\":\"hush\"}"}`, String.raw`{"text":"{\"password\":\"******\"}"}`],
    ["['apikey', 'hush', 'host', 'a']", "['apikey', '******', 'host', 'a']"],
  ])('lose their credentials: %s', (text, censored) => {
    expect(censorText(text)).toBe(censored);
  });

  it.each([
    'connect ECONNREFUSED 127.0.0.1:6379',
    'basic settings were kept',
    'the bearer of this message',
    'duplicate key value violates unique constraint "keyauth_credentials_key_key"',
    'upstream http://127.0.0.1:9000/path did not answer',
    'the plugin key-auth: no such consumer',
  ])('without credentials stay as they are: %s', (text) => {
    expect(censorText(text)).toBe(text);
  });

  it('are cut before they cost time', () => {
    for (const text of [
      'key'.repeat(50_000),
      'key="'.repeat(40_000),
      '://'.repeat(60_000),
      'key\\'.repeat(50_000),
    ]) {
      expect(censorText(text).length).toBeLessThan(110_000);
    }
  });
});

describe('values', () => {
  it('are blanked out by name at any depth, in lists of headers and in maps', () => {
    expect(censorValue({ plugin: { config: { redis: { host: 'cache', password: 'hush' } } } })).toEqual({
      plugin: { config: { redis: { host: 'cache', password: '******' } } },
    });
    expect(
      censorValue([
        ['authorization', 'hush'],
        ['accept', '*/*'],
      ]),
    ).toEqual([
      ['authorization', '******'],
      ['accept', '*/*'],
    ]);
    expect(shown(new Map([['apikey', 'hush']]))).not.toContain('hush');
    expect(censorValue({ password: null, hide_credentials: true })).toEqual({
      password: null,
      hide_credentials: true,
    });
  });

  it('show of an error only what is said about it, its causes included', () => {
    const rejected = Object.assign(new Error('WRONGPASS for password=hush'), {
      code: 'WRONGPASS',
      command: { name: 'auth', args: ['cache-user', 'hush'] },
    });
    const error = new Error('no counters', { cause: rejected });
    const text = shown({ err: new AggregateError([error], 'all failed') });
    expect(text).not.toContain('hush');
    expect(text).toContain('all failed');
    expect(text).toContain('WRONGPASS for password=******');
    expect(text).not.toContain('cache-user');
  });

  it('end where a structure goes round, and are plain', () => {
    const round: Record<string, unknown> = { at: new Date(0), bytes: Buffer.from('hush'), count: 1n };
    round['self'] = round;
    const text = shown(round);
    expect(text).toContain('1970-01-01T00:00:00.000Z');
    expect(text).toContain('[4 bytes]');
    expect(text).not.toContain('hush');
  });
});

it('hides any secret wherever it is carried', () => {
  const secret = fc.string({ minLength: 6, maxLength: 40, unit: 'binary' }).map((text) => `§${text}§`);
  fc.assert(
    fc.property(secret, (hidden) => {
      const encoded = encodeURIComponent(hidden.toWellFormed());
      const base64 = Buffer.from(`user:${hidden}`).toString('base64');
      const json = JSON.stringify({ config: { password: hidden, host: 'a' } });
      const carriers: readonly (readonly [carrier: unknown, trace: string])[] = [
        [{ password: hidden }, hidden],
        [{ a: [{ b: { apikey: hidden } }] }, hidden],
        [json, JSON.stringify(hidden).slice(1, -1)],
        [{ text: json }, JSON.stringify(hidden).slice(1, -1)],
        [`/path?apikey=${encoded}&x=1`, encoded],
        [`postgres://user:${encoded}@host/db`, encoded],
        [`Authorization: Basic ${base64}`, base64],
        [new Error(`Proxy-Authorization: Basic ${base64}`), base64],
      ];
      for (const [carrier, trace] of carriers) {
        expect(shown(carrier).includes(JSON.stringify(trace).slice(1, -1))).toBe(false);
      }
    }),
  );
});
