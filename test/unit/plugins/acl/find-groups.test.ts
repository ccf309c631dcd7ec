/** Which groups count when another plugin has found some for the request. */
import type { AccessKong } from '@tollgate/sdk';
import { expect, it } from 'vitest';
import { findGroups } from '../../../../plugins/acl/find-groups.ts';

interface Request {
  readonly consumer?: boolean;
  readonly credential?: boolean;
  readonly shared?: unknown;
  readonly always?: boolean;
}

function groupsOf({ consumer = true, credential = true, shared, always = false }: Request) {
  const kong = {
    client: {
      getConsumer: () => (consumer ? { id: 'c' } : undefined),
      getCredential: () => (credential ? { id: 'k' } : undefined),
    },
    ctx: { shared: shared === undefined ? {} : { authenticated_groups: shared } },
    entities: { list: () => [{ id: '1', group: 'own' }] },
  } as unknown as AccessKong;
  return findGroups(kong, {
    allow: ['a'],
    deny: null,
    hide_groups_header: false,
    always_use_authenticated_groups: always,
  });
}

const OWN = { header: 'X-Consumer-Groups', names: ['own'] };
const FOUND = { header: 'X-Authenticated-Groups', names: ['found'] };

it('takes the groups of a consumer with a credential', async () => {
  expect(await groupsOf({ shared: ['found'] })).toEqual(OWN);
});

it('prefers those of the request without a consumer, for the anonymous one, and when told to', async () => {
  const shared = ['found'];
  expect(await groupsOf({ consumer: false, shared })).toEqual(FOUND);
  expect(await groupsOf({ consumer: false, credential: false, shared })).toEqual(FOUND);
  expect(await groupsOf({ credential: false, shared })).toEqual(FOUND);
  expect(await groupsOf({ always: true, shared })).toEqual(FOUND);
});

it('falls back to those of the consumer where the request has none', async () => {
  expect(await groupsOf({ credential: false })).toEqual(OWN);
  expect(await groupsOf({ always: true })).toEqual(OWN);
});

it.each(['found', { 0: 'found' }, [5], ['found', null], 5])('takes %j for no groups', async (shared) => {
  expect(await groupsOf({ credential: false, shared })).toEqual(OWN);
  expect(await groupsOf({ consumer: false, shared })).toBeUndefined();
});
