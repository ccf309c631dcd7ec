/** Names of services and targets: contract/proxy.md sections 6.3 and 8.1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../support/poll-until.ts';
import { type DnsServer, startDnsServer } from '../../support/start-dns-server.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';
import { countAnswers, exposeUpstream, type NamedServers, startServers } from './named-servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-hosts-'));
const hostsFile = join(folder, 'hosts');
writeFileSync(hostsFile, '# comment\n127.0.0.1 written.test other.test # both\n');

let dns: DnsServer;
let proxy: ProxyUnderTest;
let two: NamedServers;
beforeAll(async () => {
  dns = await startDnsServer();
  const env = { TOLLGATE_DNS_RESOLVER: dns.address, TOLLGATE_DNS_HOSTSFILE: hostsFile };
  [proxy, two] = await Promise.all([startProxy(env), startServers(2)]);
});
afterAll(async () => {
  await Promise.all([proxy.stop(), two.stop()]);
  await dns.stop();
  rmSync(folder, { recursive: true });
});

const HERE = { ttl: 3600, data: '127.0.0.1' };
const port = (number: number) => two.servers[number]?.port ?? 0;

describe('the host of a service', () => {
  it('is looked up once for many requests, and in the hosts file first', async () => {
    dns.set('plain.test', 'A', [HERE]);
    const { host } = await proxy.expose({ host: 'plain.test', port: port(0) });
    expect(await countAnswers(5, () => proxy.send(host))).toEqual({ 0: 5 });
    expect(dns.asked('plain.test')).toBe(1);
    const written = await proxy.expose({ host: 'written.test', port: port(1) });
    expect((await proxy.send(written.host)).text).toBe('1');
    expect(dns.asked('written.test')).toBe(0);
  });

  it('is looked up again when the answer has grown old, without a request that waits', async () => {
    dns.set('moving.test', 'A', [{ ttl: 1, data: '127.0.0.1' }]);
    const { host } = await proxy.expose({ host: 'moving.test', port: port(0) });
    expect((await proxy.send(host)).status).toBe(200);
    await pollUntil(
      'the second question',
      async () => {
        expect((await proxy.send(host)).status).toBe(200);
        return dns.asked('moving.test');
      },
      (asked) => asked > 1,
    );
    dns.fail(true);
    const before = dns.asked('moving.test');
    await pollUntil(
      'a failed question',
      async () => {
        expect((await proxy.send(host)).status).toBe(200);
        return dns.asked('moving.test');
      },
      (asked) => asked > before,
    );
    dns.fail(false);
  });

  it('may have its port in an SRV record, of the best priority, by weight', async () => {
    dns.set('srv.test', 'SRV', [
      { ttl: 3600, data: { target: 'node.srv.test', port: port(0), priority: 1, weight: 10 } },
      { ttl: 3600, data: { target: 'node.srv.test', port: port(1), priority: 1, weight: 30 } },
      { ttl: 3600, data: { target: 'node.srv.test', port: 1, priority: 2, weight: 90 } },
    ]);
    dns.set('node.srv.test', 'A', [HERE]);
    const { host } = await proxy.expose({ host: 'srv.test', port: 80 });
    expect(await countAnswers(40, () => proxy.send(host))).toEqual({ 0: 10, 1: 30 });
  });

  it('has the port of the SRV record in the Host that is sent, unless the client keeps its own', async () => {
    dns.set('port.test', 'SRV', [{ ttl: 3600, data: { target: 'at.port.test', port: proxy.upstream.port } }]);
    dns.set('at.port.test', 'A', [HERE]);
    const { host } = await proxy.expose({ host: 'port.test', port: 80 });
    expect(linesOf(await proxy.echo(host), 'host')).toEqual([`port.test:${proxy.upstream.port}`]);
    const kept = await proxy.expose({ host: 'port.test', port: 80 }, { preserve_host: true });
    expect(linesOf(await proxy.echo(kept.host), 'host')).toEqual([kept.host]);
  });

  it('that nobody knows answers 503, and one that nobody can tell of 500 with the reason', async () => {
    const missing = await proxy.expose({ host: 'missing.test' });
    const none = await proxy.send(missing.host);
    expect([none.status, none.json()]).toMatchObject([503, { message: 'name resolution failed' }]);
    expect(none.header('x-kong-response-latency')).toMatch(/^\d+$/);
    const asked = dns.asked('missing.test');
    await proxy.send(missing.host);
    expect(dns.asked('missing.test')).toBe(asked);

    dns.fail(true);
    const unknown = await proxy.expose({ host: 'failing.test', port: port(0) });
    const failed = await proxy.send(unknown.host);
    const message =
      "failed the initial dns/balancer resolve for 'failing.test' with: dns server error: 2 server failure";
    expect([failed.status, failed.json()]).toMatchObject([500, { message }]);
    dns.fail(false);
    dns.set('failing.test', 'A', [HERE]);
    await pollUntil(
      'an answer of the service',
      async () => (await proxy.send(unknown.host)).status,
      (status) => status === 200,
    );
  });
});

describe('the name of a target', () => {
  it('stands for all its addresses, each with the weight of the target', async () => {
    dns.set('many.test', 'A', [HERE, { ttl: 3600, data: '127.0.0.2' }]);
    const target = `many.test:${proxy.upstream.port}`;
    const { name, host } = await exposeUpstream(proxy, [{ target, weight: 30 }]);
    expect(linesOf(await proxy.echo(host), 'host')).toEqual([target]);
    const { data } = await proxy.write('GET', `/upstreams/${name}/health`);
    expect(data[0].data).toMatchObject({
      host: 'many.test',
      dns: 'A',
      nodeWeight: 30,
      weight: { total: 60 },
    });
    expect(data[0].data.addresses.map(({ ip }: { ip: string }) => ip).toSorted()).toEqual([
      '127.0.0.1',
      '127.0.0.2',
    ]);
  });

  it('takes port, weight and, if wanted, the Host from SRV records', async () => {
    dns.set('service.test', 'SRV', [
      { ttl: 3600, data: { target: 'one.service.test', port: proxy.upstream.port, weight: 0 } },
    ]);
    dns.set('one.service.test', 'A', [HERE]);
    const plain = await exposeUpstream(proxy, ['service.test:1']);
    expect(linesOf(await proxy.echo(plain.host), 'host')).toEqual([`service.test:${proxy.upstream.port}`]);
    const { data } = await proxy.write('GET', `/upstreams/${plain.name}/health`);
    expect(data[0].data).toMatchObject({ dns: 'SRV', port: 1, weight: { total: 1 } });
    const named = await exposeUpstream(proxy, ['service.test:1'], { use_srv_name: true });
    expect(linesOf(await proxy.echo(named.host), 'host')).toEqual([
      `one.service.test:${proxy.upstream.port}`,
    ]);
  });

  it('is followed to other addresses, while requests go on', async () => {
    dns.set('roaming.test', 'SRV', [{ ttl: 1, data: { target: 'a.roaming.test', port: port(0) } }]);
    dns.set('a.roaming.test', 'A', [{ ttl: 1, data: '127.0.0.1' }]);
    const { host } = await exposeUpstream(proxy, ['roaming.test']);
    expect((await proxy.send(host)).text).toBe('0');
    dns.set('roaming.test', 'SRV', [{ ttl: 1, data: { target: 'a.roaming.test', port: port(1) } }]);
    await pollUntil(
      'an answer of the other server',
      async () => {
        const answer = await proxy.send(host);
        expect(answer.status).toBe(200);
        return answer.text;
      },
      (text) => text === '1',
    );
    dns.fail(true);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await proxy.send(host)).text).toBe('1');
    dns.fail(false);
  });
});
