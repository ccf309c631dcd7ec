/** Claims about time: RFC 7519 sections 4.1.4 and 4.1.5, without leeway. */

type Members = Readonly<Record<string, unknown>>;

export interface ClaimRules {
  readonly claims_to_verify: readonly ('exp' | 'nbf')[] | null;
  /** Seconds a token may last from now on; 0 is any. */
  readonly maximum_expiration: number;
}

/** What is wrong, by claim; undefined when all is well. `nowSeconds` is whole. */
export function checkClaims(
  claims: Members,
  rules: ClaimRules,
  nowSeconds: number,
): Record<string, string> | undefined {
  const errors: Record<string, string> = {};
  for (const name of rules.claims_to_verify ?? []) {
    const error = checkTime(name, claims[name], nowSeconds);
    if (error !== undefined) errors[name] = error;
  }
  if (Object.keys(errors).length > 0) return errors;
  const { exp } = claims;
  const isTooLong = typeof exp !== 'number' || exp - nowSeconds > rules.maximum_expiration;
  return rules.maximum_expiration > 0 && isTooLong
    ? { exp: 'exceeds maximum allowed expiration' }
    : undefined;
}

function checkTime(name: 'exp' | 'nbf', value: unknown, nowSeconds: number): string | undefined {
  if (typeof value !== 'number') return 'must be a number';
  if (name === 'exp') return value <= nowSeconds ? 'token expired' : undefined;
  return value > nowSeconds ? 'token not valid yet' : undefined;
}
