/** Groups that another plugin has found for a request, as acl sees them in its isolate. */
import { loadPlugin, type PluginKit } from '@tollgate/sdk/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

let kit: PluginKit;
const consumer = { id: '00000000-0000-4000-8000-0000000000c1', username: 'alice' };

beforeAll(async () => {
  kit = await loadPlugin(new URL('../../plugins/acl/index.ts', import.meta.url));
  kit.rows.put('acls', { id: '1', consumer: { id: consumer.id }, group: 'own' });
});
afterAll(() => kit?.close());

/** Status of the refusal, or the groups that the service is told of. */
async function outcome(request: Parameters<PluginKit['access']>[0], config: Record<string, unknown>) {
  const { exit, serviceRequest } = await kit.access(request, config);
  if (exit !== undefined) return exit.status;
  const names = ['x-authenticated-groups', 'x-consumer-groups'];
  return names.flatMap((name) => serviceRequest.headers.get(name) ?? []);
}

const found = (...groups: readonly unknown[]) => ({ shared: { authenticated_groups: groups } });

it('count where there is no consumer, or only the anonymous one', async () => {
  expect(await outcome(found('a', 'b'), { allow: ['b'] })).toEqual(['a, b']);
  expect(await outcome({ ...found('a'), consumer }, { allow: ['a'] })).toEqual(['a']);
  expect(await outcome(found('a'), { allow: ['b'] })).toBe(403);
  expect(await outcome(found('a'), { deny: ['a'] })).toBe(403);
  expect(await outcome(found('a'), { deny: ['b'], hide_groups_header: true })).toEqual([]);
});

it('give way to those of a consumer with a credential, unless they shall always count', async () => {
  const request = { ...found('a'), consumer, credential: { id: 'k' } };
  expect(await outcome(request, { allow: ['own'] })).toEqual(['own']);
  expect(await outcome(request, { allow: ['a'] })).toBe(403);
  const always = { always_use_authenticated_groups: true };
  expect(await outcome(request, { allow: ['a'], ...always })).toEqual(['a']);
  expect(await outcome({ ...request, shared: {} }, { allow: ['own'], ...always })).toEqual(['own']);
});

it('are none when they are no list of names', async () => {
  expect(await outcome(found(5), { allow: ['5'] })).toBe(401);
  expect(await outcome({ shared: { authenticated_groups: 'a' } }, { deny: ['b'] })).toBe(401);
});

it('do not help a credential without a consumer and without groups', async () => {
  expect(await outcome({ credential: { id: 'k' } }, { deny: ['b'] })).toBe(403);
});
