import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeLogFacts, encodeLogFacts } from '../../../../sdk/protocol/phase-call.ts';

it('the facts of a log record are read as they were written', () => {
  const size = fc.nat({ max: 2 ** 31 - 1 });
  const facts = fc.record({
    status: fc.integer({ min: 100, max: 599 }),
    source: fc.constantFrom('service' as const, 'exit' as const, 'error' as const),
    gatewayLatencyMs: fc.nat(),
    upstreamLatencyMs: fc.integer({ min: -1, max: 100_000 }),
    requestLatencyMs: fc.nat(),
    bytesReceived: size,
    bytesSent: fc.maxSafeNat(),
    upstreamStatus: fc.integer({ min: 0, max: 599 }),
  });
  fc.assert(
    fc.property(facts, (given) => {
      expect(decodeLogFacts(encodeLogFacts(given))).toEqual(given);
    }),
  );
});
