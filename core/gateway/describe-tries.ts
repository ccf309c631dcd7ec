/** For the operator: what was tried before a request was given up, address by address. Pure. */
import type { GatewayError } from '../errors.ts';
import type { UpstreamAttempt } from '../upstream/forward-request.ts';

/** One attempt speaks for itself. */
export function describeTries(error: GatewayError, attempts: readonly UpstreamAttempt[]): string {
  const detail = error.detail ?? error.message;
  const isToldAlready = attempts.length === 0 || (attempts.length === 1 && attempts[0]?.error === error);
  if (isToldAlready) return detail;
  const tried = attempts.map(
    ({ ip, port, error: failure }) => `${ip}:${port} ${failure?.code ?? 'answered'}`,
  );
  return `${detail}; tried ${tried.join(', ')}`;
}
