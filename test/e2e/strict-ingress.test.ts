/** The strict ingress is to clients what the fast one is: the same tests, once more. */
import { describe } from 'vitest';

process.env['TEST_INGRESS'] = 'strict';

describe.each([
  'bodies',
  'connections',
  'errors',
  'request-headers',
  'response-headers',
  'retries',
  'routing',
  'upstream-path',
])('on the strict ingress: %s', async (name) => {
  await import(`./${name}.test.ts`);
});
