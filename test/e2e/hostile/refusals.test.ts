/**
 * What could be read differently by somebody else on the path is refused: at most one answer, then the connection
 * closes, and no upstream hears of it, nor of what comes behind. Contract/proxy.md section 6.5, and more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeBytes, parseResponses } from '../../support/raw-http.ts';
import { type HostileCase, REFUSALS, SMUGGLED } from './case.ts';
import { CHUNK_CASES, ENCODING_CASES, LENGTH_CASES } from './framing-cases.ts';
import { HEADER_CASES, HOST_CASES, REQUEST_LINE_CASES } from './head-cases.ts';
import { type HostileProxy, INGRESSES, startHostileProxy } from './hostile-proxy.ts';

/** Longer than the gateway in these tests has patience with heads and bodies. */
const PATIENCE_MS = 9000;

let proxy: HostileProxy;
beforeAll(async () => {
  proxy = await startHostileProxy();
});
afterAll(() => proxy.stop());

const GROUPS: Readonly<Record<string, readonly HostileCase[]>> = {
  'a length': LENGTH_CASES,
  'a transfer coding': ENCODING_CASES,
  'a body in chunks': CHUNK_CASES,
  'a request line': REQUEST_LINE_CASES,
  'a Host': HOST_CASES,
  'a header': HEADER_CASES,
};

describe.each(INGRESSES)('the $kind ingress', ({ kind }) => {
  describe.each(Object.entries(GROUPS))('refuses %s that is doubtful', (_, cases) => {
    it.each(cases)('$title', async ({ bytes, status = REFUSALS, served = [], late = [] }) => {
      const parts = typeof bytes === 'string' ? [bytes] : bytes;
      const send = (...more: readonly string[]) =>
        exchangeBytes(proxy.portOf(kind), [...parts, ...more], { quietMs: PATIENCE_MS });
      const before = proxy.upstreamCounts();
      const mayBeServed = served.includes(kind);
      const [alone, behind] = await Promise.all([send(), mayBeServed ? undefined : send(SMUGGLED)]);
      const statuses = parseResponses(alone.received).map((response) => response.status);

      if (mayBeServed && statuses.every((found) => found === 200 || found === 404)) {
        const answered = statuses.filter((found) => found === 200).length;
        expect(proxy.upstreamCounts().requests - before.requests).toBe(answered);
        expect(statuses.length).toBeLessThanOrEqual(1);
        return;
      }
      const followed = behind ?? (await send(SMUGGLED));
      expect(proxy.upstreamCounts()).toEqual(before);
      expect([alone.hasClosed, followed.hasClosed]).toEqual([true, true]);
      if (late.includes(kind) && statuses.length === 0) return;
      expect(statuses, alone.received.slice(0, 60)).toHaveLength(1);
      expect(status).toContain(statuses[0]);
    });
  });
});
