/** No package can take a path of ours: what comes first in one, or below consumers, services and routes, is reserved. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RESERVED_NAMES } from '../../../core/entities/reserved-names.ts';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin?.close());

it('holds for every endpoint', async () => {
  const templates = (await admin.get('/endpoints')).data as readonly unknown[] as readonly string[];
  const names = templates.flatMap((template) => {
    const [first = '', , below = ''] = template.split('/').slice(1);
    return ['consumers', 'services', 'routes'].includes(first) ? [first, below] : [first];
  });
  const isName = (name: string) => /^[a-z][a-z0-9_-]*$/.test(name);
  expect(templates.length).toBeGreaterThan(50);
  expect([...new Set(names)].filter((name) => isName(name) && !RESERVED_NAMES.has(name))).toEqual([]);
});
