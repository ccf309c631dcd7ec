import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  // Whoever connects from here is a proxy that says whom it speaks for.
  proxy = await startProxy({ TOLLGATE_TRUSTED_IPS: '127.0.0.1', TOLLGATE_REAL_IP_HEADER: 'X-Forwarded-For' });
});
afterAll(() => proxy?.stop());

async function restrict(config: Record<string, unknown>): Promise<string> {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'ip-restriction', config });
  return host;
}

/** Status of a request from each address. */
async function statuses(host: string, addresses: readonly string[]): Promise<number[]> {
  const answers = addresses.map((address) =>
    proxy.send(host, '/', { headers: { 'X-Forwarded-For': address } }),
  );
  return (await Promise.all(answers)).map(({ status }) => status);
}

describe('the lists', () => {
  it('let only those in who are allowed, one by one and by range', async () => {
    const host = await restrict({ allow: ['10.0.0.1', '192.168.4.0/22', '2001:db8::/32'] });
    expect(await statuses(host, ['10.0.0.1', '192.168.7.255', '2001:db8:1::5'])).toEqual([200, 200, 200]);
    expect(await statuses(host, ['10.0.0.2', '192.168.8.0', '2001:db9::1'])).toEqual([403, 403, 403]);
  });

  it('keep out those who are denied', async () => {
    const host = await restrict({ deny: ['10.0.0.0/8', '::1'] });
    expect(await statuses(host, ['10.200.3.4', '::1', '11.0.0.1', '::2'])).toEqual([403, 403, 200, 200]);
  });

  it('are asked in that order: what is denied is not allowed again', async () => {
    const host = await restrict({ allow: ['10.0.0.0/8'], deny: ['10.5.0.0/16', '10.0.0.1'] });
    expect(await statuses(host, ['10.1.1.1', '10.5.1.1', '10.0.0.1', '11.1.1.1'])).toEqual([
      200, 403, 403, 403,
    ]);
  });

  it('let everybody in when the only one is empty', async () => {
    const { host, routeId } = await proxy.expose();
    const made = await proxy.admin('POST', `/routes/${routeId}/plugins`, {
      name: 'ip-restriction',
      config: { allow: [], deny: ['10.0.0.1'] },
    });
    expect(made.status).toBe(201);
    expect(await statuses(host, ['10.0.0.1', '10.0.0.2'])).toEqual([403, 200]);
  });
});

describe('a refusal', () => {
  it('says which address is not allowed, and never reaches the service', async () => {
    const host = await restrict({ allow: ['10.0.0.1'] });
    const before = proxy.upstream.requestCount;
    const answer = await proxy.send(host, '/', { headers: { 'X-Forwarded-For': '10.9.9.9' } });
    const id = answer.header('x-kong-request-id');
    expect(answer.status).toBe(403);
    expect(answer.text).toBe(`{\n  "message":"IP address not allowed: 10.9.9.9",\n  "request_id":"${id}"\n}`);
    expect(proxy.upstream.requestCount).toBe(before);
  });

  it('has the status and the message of the configuration, in the form the client accepts', async () => {
    const host = await restrict({ deny: ['0.0.0.0/0'], status: 451, message: 'not from there' });
    const answer = await proxy.send(host, '/', { headers: { Accept: 'text/plain' } });
    expect(answer.status).toBe(451);
    expect(answer.text).toMatch(/^not from there\nrequest_id: /);
  });
});

it('goes by the address of the peer where nothing else is known', async () => {
  const host = await restrict({ deny: ['127.0.0.1'] });
  expect((await proxy.send(host)).status).toBe(403);
  expect(await statuses(host, ['not an address', '10.0.0.1'])).toEqual([403, 200]);
});

it('can be another for one consumer', async () => {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
  await proxy.write('POST', `/routes/${routeId}/plugins`, {
    name: 'ip-restriction',
    config: { allow: ['10.0.0.1'] },
  });
  const consumer = await proxy.write('POST', '/consumers', { username: 'roaming' });
  await proxy.write('POST', '/consumers/roaming/key-auth', { key: 'roaming-key' });
  await proxy.write('POST', '/consumers', { username: 'settled' });
  await proxy.write('POST', '/consumers/settled/key-auth', { key: 'settled-key' });
  await proxy.write('POST', `/routes/${routeId}/plugins`, {
    name: 'ip-restriction',
    consumer: { id: consumer.id },
    config: { deny: ['10.0.0.1'] },
  });
  const ask = async (apikey: string, address: string) =>
    (await proxy.send(host, '/', { headers: { apikey, 'X-Forwarded-For': address } })).status;
  expect([await ask('roaming-key', '10.7.7.7'), await ask('roaming-key', '10.0.0.1')]).toEqual([200, 403]);
  expect([await ask('settled-key', '10.7.7.7'), await ask('settled-key', '10.0.0.1')]).toEqual([403, 200]);
});

describe('the configuration', () => {
  const refusal = async (config: unknown) =>
    (await proxy.admin('POST', '/plugins', { name: 'ip-restriction', config })).body;

  it('needs at least one list', async () => {
    const texts = ["at least one of these fields must be non-empty: 'config.allow', 'config.deny'"];
    expect(await refusal({})).toMatchObject({ code: 2, fields: { '@entity': texts } });
    expect(await refusal({ allow: [], deny: [] })).toMatchObject({ fields: { '@entity': texts } });
  });

  it.each(['300.1.1.1', '10.0.0.0/33', '::/129', 'localhost', '10.0.0.1-10.0.0.9', '1.2.3'])(
    'names an entry that is neither address nor range: %s',
    async (entry) => {
      expect(await refusal({ allow: ['10.0.0.1', entry] })).toMatchObject({
        code: 2,
        fields: { config: { allow: [null, `invalid ip or cidr range: '${entry}'`] } },
      });
    },
  );

  it('applies to connections that are not HTTP, too', async () => {
    const { schema } = await schemaAndPlugin();
    expect(JSON.stringify(schema)).toContain('"tls"');
  });

  it('shows what was left out as null', async () => {
    const { plugin } = await schemaAndPlugin();
    expect(plugin.config).toEqual({ allow: null, deny: ['10.0.0.1'], status: null, message: null });
    expect(plugin.protocols.toSorted()).toEqual(['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls']);
  });

  async function schemaAndPlugin() {
    const { routeId } = await proxy.expose();
    const plugin = await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'ip-restriction',
      config: { deny: ['10.0.0.1'] },
    });
    return { plugin, schema: (await proxy.admin('GET', '/schemas/plugins/ip-restriction')).body };
  }
});
