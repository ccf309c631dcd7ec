/** The order of contract/proxy.md section 10.3, against the eight steps written down one by one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consumersOf, findCandidates, groupByScope } from '../../../../core/config/scope-lookup.ts';
import type { PluginRow } from '../../../../core/config/snapshot.ts';
import { pickInstance } from '../../../../sdk/protocol/plan.ts';

interface Scope {
  readonly route: string | null;
  readonly service: string | null;
  readonly consumer: string | null;
}

/** What must be named by an instance at each step; everything else must be unnamed. */
const STEPS: readonly (readonly (keyof Scope)[])[] = [
  ['route', 'service', 'consumer'],
  ['route', 'consumer'],
  ['service', 'consumer'],
  ['route', 'service'],
  ['consumer'],
  ['route'],
  ['service'],
  [],
];

function pickNaively(scopes: readonly Scope[], request: Scope): number {
  for (const named of STEPS) {
    if (named.some((member) => request[member] === null)) continue;
    const found = scopes.findIndex((scope) =>
      (['route', 'service', 'consumer'] as const).every(
        (member) => scope[member] === (named.includes(member) ? request[member] : null),
      ),
    );
    if (found >= 0) return found;
  }
  return -1;
}

function pick(scopes: readonly Scope[], { route, service, consumer }: Scope): number {
  const rows = scopes.map((scope, number) => [number, rowOf(scope)] as const);
  const grouped = groupByScope('some-plugin', rows);
  const candidates = findCandidates(grouped, route ?? undefined, service ?? undefined);
  if (candidates === undefined) return -1;
  return pickInstance(candidates, consumersOf(grouped), consumer ?? undefined);
}

function rowOf({ route, service, consumer }: Scope): PluginRow {
  const reference = (id: string | null) => (id === null ? null : { id });
  return {
    route: reference(route),
    service: reference(service),
    consumer: reference(consumer),
  } as unknown as PluginRow;
}

const id = (name: string) => fc.constantFrom(null, `${name}1`, `${name}2`, '__proto__', 'constructor');
const scope = fc.record({ route: id('r'), service: id('s'), consumer: id('c') });
const distinct = fc.uniqueArray(scope, { selector: (one) => JSON.stringify(one), maxLength: 20 });

describe('the instance of a plugin for a request', () => {
  it('is the one that eight lookups in the documented order find first', () => {
    fc.assert(
      fc.property(distinct, scope, (scopes, request) => {
        expect(pick(scopes, request)).toBe(pickNaively(scopes, request));
      }),
      { numRuns: 2000 },
    );
  });

  it('moves on by one step when the best is taken away', () => {
    const request = { route: 'r1', service: 's1', consumer: 'c1' };
    const scopes = STEPS.map((named) => ({
      route: named.includes('route') ? 'r1' : null,
      service: named.includes('service') ? 's1' : null,
      consumer: named.includes('consumer') ? 'c1' : null,
    }));
    for (let step = 0; step < scopes.length; step++) {
      const left = scopes.slice(step);
      expect(left.toReversed()[pick(left.toReversed(), request)]).toEqual(scopes[step]);
    }
    expect(pick([], request)).toBe(-1);
  });
});
