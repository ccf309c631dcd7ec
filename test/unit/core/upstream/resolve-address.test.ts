import { describe, expect, it } from 'vitest';
import { AddressResolver, preferIpv4 } from '../../../../core/upstream/resolve-address.ts';

/** A resolver whose look-ups wait for the test, on a clock of its own. */
function createResolver() {
  const asked: string[] = [];
  const pending: ((error: Error | null, addresses: readonly string[]) => void)[] = [];
  const clock = { nowMs: 0 };
  const resolver = new AddressResolver(
    (host, done) => {
      asked.push(host);
      pending.push(done);
    },
    () => clock.nowMs,
  );
  const heard: string[] = [];
  const resolve = (host = 'a.test'): void => {
    resolver.resolve(host, (address, error) => heard.push(address ?? error!.code));
  };
  const answer = (addresses: readonly string[], error: Error | null = null): void =>
    pending.shift()!(error, addresses);
  return { resolver, asked, clock, heard, resolve, answer };
}

describe('resolving a host', () => {
  it.each(['127.0.0.1', '::1', 'fe80::1'])('takes the literal %s as it is', (literal) => {
    const { resolver, asked } = createResolver();
    expect(resolver.nextKnown(literal)).toBe(literal);
    expect(asked).toEqual([]);
  });

  it('asks once for all who wait, and hands the addresses out in turn', () => {
    const { resolver, asked, heard, resolve, answer } = createResolver();
    expect(resolver.nextKnown('a.test')).toBeUndefined();
    resolve();
    resolve();
    expect(asked).toEqual(['a.test']);
    answer(['10.0.0.1', '10.0.0.2', '::3']);
    expect(heard).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(resolver.nextKnown('a.test')).toBe('::3');
    expect(resolver.nextKnown('a.test')).toBe('10.0.0.1');
  });

  it('asks again after a while', () => {
    const { resolver, asked, clock, resolve, answer } = createResolver();
    resolve();
    answer(['10.0.0.1']);
    clock.nowMs = 9_999;
    expect(resolver.nextKnown('a.test')).toBe('10.0.0.1');
    clock.nowMs = 10_000;
    expect(resolver.nextKnown('a.test')).toBeUndefined();
    resolve();
    expect(asked).toEqual(['a.test', 'a.test']);
  });

  it.each([
    ['an error', new Error('ENOTFOUND')],
    ['an empty answer', null],
  ])('fails on %s, at once while that is fresh, and asks again soon', (_title, error) => {
    const { asked, clock, heard, resolve, answer } = createResolver();
    resolve();
    answer([], error);
    resolve();
    expect(heard).toEqual(['GW_NAME_RESOLUTION_FAILED', 'GW_NAME_RESOLUTION_FAILED']);
    expect(asked).toHaveLength(1);
    clock.nowMs = 1_000;
    resolve();
    answer(['10.0.0.1']);
    expect(heard.at(-1)).toBe('10.0.0.1');
  });

  it('prefers IPv4 and takes IPv6 when there is nothing else', () => {
    const six = { address: '::1', family: 6 };
    const four = { address: '127.0.0.1', family: 4 };
    expect(preferIpv4([six, four])).toEqual(['127.0.0.1']);
    expect(preferIpv4([six])).toEqual(['::1']);
    expect(preferIpv4([])).toEqual([]);
  });
});
