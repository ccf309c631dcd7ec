/** Keys in query strings stay out of traces. */
import { expect, it } from 'vitest';
import { maskSecrets } from '../../../../../core/telemetry/tracing/mask-secrets.ts';

it.each([
  ['apikey=abc', 'apikey=REDACTED'],
  ['a=1&api_key=abc&b=2', 'a=1&api_key=REDACTED&b=2'],
  ['Access_Token=a=b&x=y', 'Access_Token=REDACTED&x=y'],
  ['X-Amz-Signature=abc;sig=1', 'X-Amz-Signature=REDACTED;sig=REDACTED'],
  ['monkey=1&tokens=2&apikey', 'monkey=1&tokens=2&apikey'],
  ['', ''],
])('%j becomes %j', (query, masked) => {
  expect(maskSecrets(query)).toBe(masked);
});
