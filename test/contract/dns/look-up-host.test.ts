/** How hosts are looked up, against a server of names: contract/proxy.md section 8.1. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HostAnswer } from '../../../core/dns/host-answer.ts';
import { createHostLookUp, type LookUpSettings } from '../../../core/dns/look-up-host.ts';
import { type DnsServer, startDnsServer } from '../../support/start-dns-server.ts';

let dns: DnsServer;
beforeAll(async () => {
  dns = await startDnsServer();
});
beforeEach(() => dns.fail(false));
afterAll(() => dns.stop());

function createLookUp(changes: Partial<LookUpSettings> = {}) {
  const lookUp = createHostLookUp({
    servers: [dns.address],
    hostsFile: '/nowhere',
    order: ['LAST', 'SRV', 'A', 'AAAA'],
    validTtlSeconds: undefined,
    notFoundTtlSeconds: 30,
    errorTtlSeconds: 1,
    ...changes,
  });
  return (host: string) => new Promise<HostAnswer>((resolve) => lookUp(host, resolve));
}

const address = (ip: string) => ({ ip, port: 0, weight: 1, srvName: '' });

it('takes the first type that has records, and the shortest time to live among them', async () => {
  dns.set('both.test', 'AAAA', [{ ttl: 60, data: '::2' }]);
  dns.set('both.test', 'A', [
    { ttl: 60, data: '10.0.0.1' },
    { ttl: 20, data: '10.0.0.2' },
  ]);
  const found = await createLookUp()('both.test');
  expect(found).toMatchObject({ kind: 'found', type: 'A', ttlMs: 20_000 });
  const six = await createLookUp({ order: ['AAAA', 'A'] })('both.test');
  expect(six).toEqual({ kind: 'found', type: 'AAAA', addresses: [address('::2')], ttlMs: 60_000 });
  const set = await createLookUp({ validTtlSeconds: 7 })('both.test');
  expect(set).toMatchObject({ ttlMs: 7000 });
});

it('asks first for the type that had the answer before', async () => {
  dns.set('last.test', 'A', [{ ttl: 60, data: '10.0.0.1' }]);
  const lookUp = createLookUp();
  await lookUp('last.test');
  const before = dns.asked('last.test', 'SRV');
  await lookUp('last.test');
  expect([dns.asked('last.test', 'SRV'), dns.asked('last.test', 'A')]).toEqual([before, 2]);
});

it('takes the servers of the best priority with all their addresses, weights of 0 counting as 1', async () => {
  dns.set('srv.test', 'SRV', [
    { ttl: 60, data: { target: 'one.test', port: 81, priority: 5, weight: 0 } },
    { ttl: 60, data: { target: 'two.test', port: 82, priority: 5, weight: 9 } },
    { ttl: 60, data: { target: 'three.test', port: 83, priority: 6, weight: 9 } },
  ]);
  dns.set('one.test', 'A', [{ ttl: 30, data: '10.0.0.1' }]);
  dns.set('two.test', 'A', [
    { ttl: 40, data: '10.0.0.2' },
    { ttl: 40, data: '10.0.0.3' },
  ]);
  const found = await createLookUp()('srv.test');
  expect(found).toMatchObject({ kind: 'found', type: 'SRV', ttlMs: 30_000 });
  const { addresses } = found as Extract<HostAnswer, { kind: 'found' }>;
  expect(
    addresses.map(({ ip, port, weight, srvName }) => `${srvName} ${ip}:${port} ${weight}`).toSorted(),
  ).toEqual(['one.test 10.0.0.1:81 1', 'two.test 10.0.0.2:82 9', 'two.test 10.0.0.3:82 9']);
});

it('tells a name that is not there from servers that fail', async () => {
  const lookUp = createLookUp();
  expect(await lookUp('none.test')).toEqual({ kind: 'none', reason: 'no such name', ttlMs: 30_000 });
  dns.set('empty.test', 'A', []);
  expect(await lookUp('empty.test')).toMatchObject({ kind: 'none', reason: 'no address' });
  dns.fail(true);
  const reason = 'dns server error: 2 server failure';
  expect(await lookUp('none.test')).toEqual({ kind: 'failed', reason, ttlMs: 1000 });
});

it('does not mind a server that fails for some types', async () => {
  dns.fail(true, 'SRV');
  dns.set('plain.test', 'A', [{ ttl: 60, data: '10.0.0.1' }]);
  expect(await createLookUp()('plain.test')).toMatchObject({ kind: 'found', type: 'A' });
  expect(await createLookUp()('none.test')).toMatchObject({ kind: 'none' });
});

it('does not mind a server that denies other types of its own names', async () => {
  dns.deny('SRV');
  dns.set('container', 'A', [{ ttl: 60, data: '10.0.0.1' }]);
  expect(await createLookUp()('container')).toMatchObject({ kind: 'found', type: 'A' });
  expect(await createLookUp()('none')).toMatchObject({ kind: 'none', reason: 'no such name' });
  dns.deny('');
});

it('fails where nobody answers', async () => {
  const lookUp = createLookUp({ servers: ['127.0.0.1:1'] });
  expect(await lookUp('a.test')).toMatchObject({
    kind: 'failed',
    reason: 'dns client error: no server answers',
  });
});
