/** What all algorithms promise, and what each of them does with its requests: contract/proxy.md section 8.2. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BalancedAddress } from '../../../../core/balancing/address.ts';
import { ALGORITHMS, type AlgorithmName } from '../../../../core/balancing/algorithms/by-name.ts';
import { hashText } from '../../../../core/balancing/hash-text.ts';
import { createRandom, makeAddresses } from './make-addresses.ts';

const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];

const clock = { nowMs: 0 };

let turns = 0;

const make = (name: AlgorithmName, addresses: readonly BalancedAddress[], slots = 10_000) =>
  ALGORITHMS[name](addresses, {
    slots,
    random: createRandom(7),
    nextTurn: () => turns++,
    nowMs: () => clock.nowMs,
  });

describe.each(NAMES)('%s', (name) => {
  it('has nothing to choose without addresses, with weights of 0 alone, or when all are down', () => {
    expect(make(name, []).pick(1, [])).toBeUndefined();
    expect(make(name, makeAddresses(0, 0)).pick(1, [])).toBeUndefined();
    const down = makeAddresses(10, 10);
    for (const { health } of down) health.set(false);
    expect(make(name, down).pick(1, [])).toBeUndefined();
  });

  it('never chooses what is down or has no weight, and comes to all others', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.nat(200), isHealthy: fc.boolean() }), { maxLength: 8 }),
        (given) => {
          const addresses = makeAddresses(...given.map(({ weight }) => weight));
          for (const [at, { isHealthy }] of given.entries()) addresses[at]!.health.set(isHealthy);
          const usable = addresses.filter(({ weight, health }) => weight > 0 && health.isHealthy);
          const algorithm = make(name, addresses);
          const chosen = new Set<BalancedAddress | undefined>();
          for (let request = 0; request < 300; request++) {
            const address = algorithm.pick(hashText(`request ${request}`), []);
            chosen.add(address);
            if (usable.length > 0) expect(usable).toContain(address);
          }
          if (usable.length === 0) expect([...chosen]).toEqual([undefined]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes to every other address before it repeats itself for one request', () => {
    const addresses = makeAddresses(100, 5, 1, 30);
    const algorithm = make(name, addresses);
    for (let request = 0; request < 50; request++) {
      const tried: BalancedAddress[] = [];
      for (let attempt = 0; attempt < 4; attempt++)
        tried.push(algorithm.pick(hashText(`${request}`), tried)!);
      expect(new Set(tried).size).toBe(4);
      expect(addresses).toContain(algorithm.pick(hashText(`${request}`), tried));
    }
  });
});

function count(picks: number, pick: (at: number) => BalancedAddress | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at < picks; at++) {
    const { ip = 'none' } = pick(at)?.facts ?? {};
    counts.set(ip, (counts.get(ip) ?? 0) + 1);
  }
  return counts;
}

describe('round-robin', () => {
  it('keeps to the weights over every full round, wherever it begins', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }), fc.nat(99), (weights, skipped) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const algorithm = make('round-robin', makeAddresses(...weights));
        for (let at = 0; at < skipped; at++) algorithm.pick(0, []);
        const counts = count(total, () => algorithm.pick(0, []));
        for (const [at, weight] of weights.entries())
          expect(counts.get(`10.0.0.${at + 1}`) ?? 0).toBe(total === 0 ? 0 : weight);
      }),
    );
  });

  it('does not send several in a row to a heavy address', () => {
    const algorithm = make('round-robin', makeAddresses(4, 2));
    const round = Array.from({ length: 14 }, () => algorithm.pick(0, [])?.facts.ip);
    expect(round.join()).not.toContain('10.0.0.1,10.0.0.1,10.0.0.1');
  });

  it('takes weights without a common divisor, however large', () => {
    const algorithm = make('round-robin', makeAddresses(65_535, 65_534, 1));
    const counts = count(10_000, () => algorithm.pick(0, []));
    expect(counts.get('10.0.0.3')).toBeLessThan(10);
    expect(Math.abs(counts.get('10.0.0.1')! - counts.get('10.0.0.2')!)).toBeLessThan(20);
  });
});

describe('least-connections', () => {
  it('goes where the fewest requests are under way for the weight', () => {
    const addresses = makeAddresses(100, 100, 200);
    const algorithm = make('least-connections', addresses);
    for (let request = 0; request < 40; request++) algorithm.pick(0, [])!.active++;
    expect(addresses.map(({ active }) => active)).toEqual([10, 10, 20]);
    addresses[1]!.active = 3;
    expect(algorithm.pick(0, [])).toBe(addresses[1]);
  });

  it('spreads requests that come one after the other', () => {
    const algorithm = make('least-connections', makeAddresses(1, 1, 1));
    expect([...count(30, () => algorithm.pick(0, [])).values()]).toEqual([10, 10, 10]);
  });
});

describe('latency', () => {
  it('prefers the address that answers sooner, and leaves it when it slows down', () => {
    const addresses = makeAddresses(100, 100);
    const algorithm = make('latency', addresses);
    clock.nowMs = 1000;
    addresses[0]!.noteLatency(10, 1000);
    addresses[1]!.noteLatency(40, 1000);
    expect(count(20, () => algorithm.pick(0, []))).toEqual(new Map([['10.0.0.1', 20]]));
    addresses[0]!.noteLatency(500, 1100);
    expect(count(20, () => algorithm.pick(0, []))).toEqual(new Map([['10.0.0.2', 20]]));
  });

  it('forgives a slow answer by and by', () => {
    const [address] = makeAddresses(100);
    address!.noteLatency(1000, 0);
    address!.noteLatency(10, 10);
    expect(address!.latencyMs).toBeGreaterThan(990);
    address!.noteLatency(10, 30_000);
    expect(address!.latencyMs).toBeLessThan(70);
  });

  it('tries an address that has not answered yet, but not with everything at once', () => {
    const addresses = makeAddresses(100, 100);
    const algorithm = make('latency', addresses);
    addresses[0]!.noteLatency(100, 0);
    for (let request = 0; request < 9; request++) algorithm.pick(0, [])!.active++;
    expect(addresses.map(({ active }) => active)).toEqual([3, 6]);
  });

  it('tries a slow address again after a while', () => {
    const addresses = makeAddresses(100, 100);
    const algorithm = make('latency', addresses);
    addresses[0]!.noteLatency(50, 0);
    addresses[1]!.noteLatency(400, 0);
    clock.nowMs = 60_000;
    addresses[0]!.noteLatency(50, 60_000);
    expect(algorithm.pick(0, [])).toBe(addresses[1]);
    clock.nowMs = 0;
  });

  it('sends less to an address that is busy', () => {
    const addresses = makeAddresses(100, 100);
    const algorithm = make('latency', addresses);
    for (const address of addresses) address.noteLatency(20, 0);
    addresses[0]!.active = 5;
    expect(algorithm.pick(0, [])).toBe(addresses[1]);
  });
});

describe('consistent-hashing', () => {
  const owners = (addresses: readonly BalancedAddress[], slots?: number) => {
    const algorithm = make('consistent-hashing', addresses, slots);
    return Array.from({ length: 2000 }, (_, at) => algorithm.pick(hashText(`client ${at}`), [])?.facts.ip);
  };

  it('gives the same input the same address, on every node and in whatever order targets come', () => {
    const addresses = makeAddresses(100, 50, 70);
    expect(owners(addresses.toReversed())).toEqual(owners(addresses));
  });

  it('spreads inputs by weight', () => {
    const chosen = owners(makeAddresses(100, 100, 200));
    const shares = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(
      (ip) => chosen.filter((each) => each === ip).length / chosen.length,
    );
    for (const [at, share] of [0.25, 0.25, 0.5].entries())
      expect(Math.abs(shares[at]! - share)).toBeLessThan(0.08);
  });

  it('moves no input between addresses that stay when one goes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 10 }), fc.nat(9), (length, index) => {
        const addresses = makeAddresses(...new Array<number>(length).fill(100));
        const gone = addresses[index % length]!;
        const before = owners(addresses);
        const after = owners(addresses.filter((address) => address !== gone));
        const moved = before.filter((ip, at) => ip !== gone.facts.ip && ip !== after[at]).length;
        expect(moved / before.length).toBeLessThan(0.02);
        gone.health.set(false);
        const down = owners(addresses);
        expect(before.every((ip, at) => ip === gone.facts.ip || ip === down[at])).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it.each([10, 1000, 65_536])('works with %i slots', (slots) => {
    expect(new Set(owners(makeAddresses(100, 100, 100), slots)).size).toBe(3);
  });
});
