import { describe, expect, it } from 'vitest';
import { decideRetry, type FailedAttempt } from '../../../../core/upstream/retry.ts';

const failed = (changes: Partial<FailedAttempt>): FailedAttempt => ({
  code: 'GW_UPSTREAM_CLOSED',
  method: 'GET',
  requestSent: true,
  bodyCanReplay: true,
  reusedConnection: false,
  responseStarted: false,
  ...changes,
});

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'LOCK', 'PATCH'];
const UNREPEATABLE = ['POST', 'LOCK', 'PATCH'];

describe('another attempt (contract/proxy.md section 7.2)', () => {
  it.each(METHODS)('follows a connection that could not be made, for %s too', (method) => {
    for (const code of ['GW_UPSTREAM_CONNECT_FAILED', 'GW_UPSTREAM_CONNECT_TIMEOUT'] as const) {
      expect(decideRetry(failed({ code, method, requestSent: false }))).toBe('counted');
      expect(decideRetry(failed({ code, method, requestSent: false, bodyCanReplay: false }))).toBe('counted');
    }
  });

  it.each(METHODS)(
    'follows a failure behind the request unless repeating could do it twice: %s',
    (method) => {
      const codes = ['GW_UPSTREAM_CLOSED', 'GW_UPSTREAM_READ_TIMEOUT', 'GW_UPSTREAM_WRITE_TIMEOUT'] as const;
      const expected = UNREPEATABLE.includes(method) ? 'none' : 'counted';
      for (const code of codes) expect(decideRetry(failed({ code, method }))).toBe(expected);
    },
  );

  it('does not follow a malformed answer', () => {
    expect(decideRetry(failed({ code: 'GW_UPSTREAM_MALFORMED' }))).toBe('none');
  });

  it('does not follow when the beginning of the body is gone', () => {
    expect(decideRetry(failed({ method: 'PUT', bodyCanReplay: false }))).toBe('none');
  });

  it('costs nothing when an idle connection turned out closed', () => {
    expect(decideRetry(failed({ reusedConnection: true }))).toBe('free');
    expect(decideRetry(failed({ reusedConnection: true, responseStarted: true }))).toBe('counted');
    expect(decideRetry(failed({ reusedConnection: true, code: 'GW_UPSTREAM_READ_TIMEOUT' }))).toBe('counted');
    expect(decideRetry(failed({ reusedConnection: true, method: 'POST' }))).toBe('none');
  });
});
