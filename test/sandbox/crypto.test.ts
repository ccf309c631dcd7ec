/** The door to cryptography as a plugin of somebody else's finds it: an isolate and its host. */
import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LaneUnderTest, startLane, verdictOf } from './support/start-lane.ts';

let lane: LaneUnderTest;
beforeAll(async () => {
  lane = await startLane('crypto');
});
afterAll(() => lane?.end());

/** What it answered, or the message of its error. */
async function ask(call: string, ...given: readonly unknown[]): Promise<unknown> {
  const result = await lane.run(JSON.stringify({ call, given }));
  if ('failure' in result) return result.failure;
  const { outcome } = result;
  if (outcome.failure != null) return outcome.failure.message;
  return JSON.parse(Buffer.from(outcome.body, 'base64').toString()) as unknown;
}

const SIGNED = { algorithm: 'HS256', key: 'secret', data: 'text', signature: '' };

describe('a plugin that asks for cryptography', () => {
  it.each(['sha1', 'sha256', 'sha384', 'sha512'])('hashes text as UTF-8 with %s', async (algorithm) => {
    expect(await ask('digest', algorithm, 'tëxt ☃')).toBe(
      createHash(algorithm).update('tëxt ☃').digest('hex'),
    );
  });

  it('verifies a signature, and is told of a wrong one', async () => {
    const signature = createHmac('sha256', 'secret').update('text').digest('base64url');
    expect(await ask('verify', { ...SIGNED, signature })).toBe(true);
    expect(await ask('verify', { ...SIGNED, signature, data: 'other' })).toBe(false);
    expect(await ask('verify', { ...SIGNED, signature, key: 'c2VjcmV0', keyEncoding: 'base64' })).toBe(true);
  });

  it.each([
    ['same', 'same', true],
    ['', '', true],
    ['same', 'sama', false],
    ['same', 'sam', false],
    ['sam', 'same', false],
    ['', 'a', false],
    ['a\0', 'a', false],
  ])('compares %j with %j', async (a, b, isEqual) => {
    expect(await ask('isEqual', a, b)).toBe(isEqual);
  });

  it.each([
    ['digest', ['md5', 'a'], "there is no digest 'md5'"],
    ['digest', [['sha1'], 'a'], "there is no digest 'sha1'"],
    ['digest', ['sha1', 5], 'text must be a text'],
    ['verify', [{ ...SIGNED, algorithm: 'none' }], "there is no signature algorithm 'none'"],
    ['verify', [{ ...SIGNED, algorithm: '__proto__' }], "there is no signature algorithm '__proto__'"],
    ['verify', [{ ...SIGNED, key: { alg: 'x' } }], 'key must be a text'],
    ['verify', [{ ...SIGNED, keyEncoding: 'hex' }], 'keyEncoding is utf8 or base64'],
    ['verify', [{ ...SIGNED, data: null }], 'data must be a text'],
    ['verify', [{ ...SIGNED, signature: 'A'.repeat(65_537) }], 'signature is longer than 65536 characters'],
    ['verify', [{ ...SIGNED, key: 'k'.repeat(16_385) }], 'key is longer than 16384 characters'],
    ['digest', ['sha1', 'x'.repeat(65_537)], 'text is longer than 65536 characters'],
  ])('is refused %s of something else', async (call, given, message) => {
    expect(await ask(call, ...given)).toBe(message);
    expect(verdictOf(await lane.run(JSON.stringify({ call: 'isEqual', given: ['a', 'a'] })))).toBe('exit');
  });
});
