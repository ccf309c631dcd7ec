import { expect, it } from 'vitest';
import { expandName, parseSearchList } from '../../../../core/dns/search-list.ts';

const CLUSTER =
  'nameserver 10.0.0.10\nsearch shop.svc.cluster.local svc.cluster.local.\noptions ndots:5 edns0\n';

it('reads domains and ndots, the last line of a kind counting', () => {
  expect(parseSearchList(CLUSTER)).toEqual({
    domains: ['shop.svc.cluster.local', 'svc.cluster.local'],
    ndots: 5,
  });
  expect(parseSearchList('domain a.test\nsearch b.test')).toEqual({ domains: ['b.test'], ndots: 1 });
  expect(parseSearchList('')).toEqual({ domains: [], ndots: 1 });
});

it('asks for a short name in each domain before it is taken as it is, and for a long one after', () => {
  const search = parseSearchList(CLUSTER);
  expect(expandName('orders', search)).toEqual([
    'orders.shop.svc.cluster.local',
    'orders.svc.cluster.local',
    'orders',
  ]);
  expect(expandName('a.test', { ...search, ndots: 1 })[0]).toBe('a.test');
  expect(expandName('a.test.', search)).toEqual(['a.test']);
});
