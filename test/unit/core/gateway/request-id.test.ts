import { expect, it } from 'vitest';
import { createRequestId } from '../../../../core/gateway/request-id.ts';

it('makes ids of 32 lower-case hex digits that do not repeat', () => {
  const ids = Array.from({ length: 2000 }, createRequestId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
