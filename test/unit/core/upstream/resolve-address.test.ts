import { describe, expect, it } from 'vitest';
import { addressOf, type HostAnswer } from '../../../../core/dns/host-answer.ts';
import { AddressResolver } from '../../../../core/upstream/resolve-address.ts';

/** A resolver whose look-ups wait for the test, on a clock of its own. */
function createResolver(staleMs = 0) {
  const asked: string[] = [];
  const pending: ((answer: HostAnswer) => void)[] = [];
  const clock = { nowMs: 0 };
  const resolver = new AddressResolver({
    lookUp: (host, done) => {
      asked.push(host);
      pending.push(done);
    },
    staleMs,
    nowMs: () => clock.nowMs,
  });
  const heard: string[] = [];
  const resolve = (host = 'a.test'): void => {
    resolver.resolve(host, (address, error) => heard.push(address?.ip ?? error!.code));
  };
  const answer = (given: HostAnswer): void => pending.shift()!(given);
  const known = (host = 'a.test') => resolver.nextKnown(host)?.ip;
  return { resolver, asked, clock, heard, resolve, answer, known };
}

const found = (ips: readonly string[], ttlMs = 10_000): HostAnswer => ({
  kind: 'found',
  type: 'A',
  addresses: ips.map(addressOf),
  ttlMs,
});

describe('resolving a host', () => {
  it.each(['127.0.0.1', '::1', 'fe80::1'])('takes the literal %s as it is', (literal) => {
    const { known, asked } = createResolver();
    expect([known(literal), known(literal)]).toEqual([literal, literal]);
    expect(asked).toEqual([]);
  });

  it('asks once for all who wait, and hands the addresses out in turn', () => {
    const { known, asked, heard, resolve, answer } = createResolver();
    expect(known()).toBeUndefined();
    resolve();
    resolve();
    expect(asked).toEqual(['a.test']);
    answer(found(['10.0.0.1', '10.0.0.2', '::3']));
    expect(heard).toEqual(['10.0.0.1', '10.0.0.2']);
    expect([known(), known()]).toEqual(['::3', '10.0.0.1']);
  });

  it('takes turns by the weights of SRV records, and their ports', () => {
    const { resolver, resolve, answer } = createResolver();
    resolve();
    const addresses = [
      { ip: '10.0.0.1', port: 81, weight: 3, srvName: 'one.test' },
      { ip: '10.0.0.2', port: 82, weight: 1, srvName: 'two.test' },
    ];
    answer({ kind: 'found', type: 'SRV', addresses, ttlMs: 10_000 });
    const ports = Array.from({ length: 8 }, () => resolver.nextKnown('a.test')?.port);
    expect(ports.toSorted()).toEqual([81, 81, 81, 81, 81, 81, 82, 82]);
  });

  it('asks again when the answer has grown old', () => {
    const { known, asked, clock, resolve, answer } = createResolver();
    resolve();
    answer(found(['10.0.0.1'], 5000));
    clock.nowMs = 4_999;
    expect(known()).toBe('10.0.0.1');
    clock.nowMs = 5_000;
    expect(known()).toBeUndefined();
    resolve();
    expect(asked).toEqual(['a.test', 'a.test']);
  });

  it('asks for every request where an answer may be used once', () => {
    const { asked, heard, resolve, answer } = createResolver(60_000);
    for (const ip of ['10.0.0.1', '10.0.0.2']) {
      resolve();
      answer(found([ip], 0));
    }
    expect(asked).toHaveLength(2);
    expect(heard).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('serves an old answer while the new one is fetched, once, and as long as servers fail', () => {
    const { known, asked, clock, resolve, answer } = createResolver(60_000);
    resolve();
    answer(found(['10.0.0.1']));
    clock.nowMs = 10_000;
    expect([known(), known()]).toEqual(['10.0.0.1', '10.0.0.1']);
    expect(asked).toHaveLength(2);
    answer({ kind: 'failed', reason: 'away', ttlMs: 1000 });
    expect(known()).toBe('10.0.0.1');
    expect(asked).toHaveLength(2);
    clock.nowMs = 11_000;
    expect(known()).toBe('10.0.0.1');
    answer(found(['10.0.0.2']));
    expect(known()).toBe('10.0.0.2');
  });

  it('forgets the old answer when the name is gone, or when it is too old', () => {
    const gone = createResolver(60_000);
    gone.resolve();
    gone.answer(found(['10.0.0.1']));
    gone.clock.nowMs = 10_000;
    gone.known();
    gone.answer({ kind: 'none', reason: 'no such name', ttlMs: 1000 });
    expect(gone.known()).toBeUndefined();

    const old = createResolver(60_000);
    old.resolve();
    old.answer(found(['10.0.0.1']));
    old.clock.nowMs = 70_000;
    expect(old.known()).toBeUndefined();
  });

  it.each([
    ['none', 'GW_NAME_RESOLUTION_FAILED', 'name resolution failed'],
    [
      'failed',
      'GW_RESOLVER_FAILED',
      "failed the initial dns/balancer resolve for 'a.test' with: dns server error: 2 server failure",
    ],
  ] as const)(
    'fails when the answer is %s, at once while that is fresh, and asks again',
    (kind, code, message) => {
      const { resolver, asked, clock, heard, resolve, answer } = createResolver();
      resolve();
      answer({ kind, reason: 'dns server error: 2 server failure', ttlMs: 1000 });
      resolve();
      expect(heard).toEqual([code, code]);
      expect(asked).toHaveLength(1);
      resolver.resolve('a.test', (_address, error) => expect(error?.message).toBe(message));
      clock.nowMs = 1_000;
      resolve();
      answer(found(['10.0.0.1']));
      expect(heard.at(-1)).toBe('10.0.0.1');
    },
  );
});
