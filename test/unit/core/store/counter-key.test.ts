/** Keys of counters as rows of the table `ratelimiting_metrics`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterRowOf } from '../../../../core/store/counter-key.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
const ROUTE = '11111111-1111-4111-8111-111111111111';
const SERVICE = '22222222-2222-4222-8222-222222222222';

describe('the row of a counter', () => {
  it('has the parts of a key of rate-limiting in columns of their own', () => {
    expect(counterRowOf(`ratelimit:${ROUTE}:${SERVICE}:2001:db8::1:1700000000000:minute`)).toEqual({
      routeId: ROUTE,
      serviceId: SERVICE,
      identifier: '2001:db8::1',
      periodDateMs: 1_700_000_000_000,
      period: 'minute',
    });
  });

  it.each([
    'tokens:consumer:1700000000000',
    `ratelimit:nobody:${SERVICE}:a:1:minute`,
    `ratelimit:${ROUTE}:${SERVICE}:a:01:minute`,
    `ratelimit:${ROUTE}:${SERVICE}:a:1:MINUTE`,
    '',
  ])('has the whole key %j as identifier where it is another', (key) => {
    expect(counterRowOf(key)).toEqual({
      routeId: NIL,
      serviceId: NIL,
      identifier: key,
      periodDateMs: 0,
      period: '',
    });
  });

  it('can be stored and indexed whatever is in the key', () => {
    for (const key of [
      '\0',
      'a\0b',
      '\ud800',
      '\udc00x',
      'é'.repeat(1024),
      '\0'.repeat(1024),
      '\\'.repeat(1024),
    ]) {
      const { identifier } = counterRowOf(key);
      expect(identifier.isWellFormed()).toBe(true);
      expect(identifier).not.toContain('\0');
      expect(Buffer.byteLength(identifier)).toBeLessThanOrEqual(2000);
    }
  });

  it('is another one for another key', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('\\', '\\u0000', '\0', '\ud800', '\\ud800', ':', 'x'.repeat(3000)),
    );
    const key = fc.oneof(
      part,
      fc
        .tuple(part, fc.nat(3), fc.constantFrom('minute', 'hour'))
        .map(
          ([identifier, start, period]) => `ratelimit:${ROUTE}:${SERVICE}:${identifier}:${start}:${period}`,
        ),
    );
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(a !== b);
        expect(counterRowOf(a)).not.toEqual(counterRowOf(b));
      }),
    );
  });
});
