import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOptions } from '../support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;
let ada: { readonly consumerId: string; readonly username: string };

beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
  ada = await makeUser('ada', PASSWORD, { custom_id: 'a-1' });
});
afterAll(() => proxy?.stop());

const PASSWORD = 'sec:ret pässwörd';

async function makeUser(username: string, password: string, consumer: Record<string, unknown> = {}) {
  const { id } = await proxy.write('POST', '/consumers', { username: `of ${username}`, ...consumer });
  await proxy.write('POST', `/consumers/${id}/basic-auth`, { username, password });
  return { consumerId: id as string, username };
}

async function protect(config: Record<string, unknown> = {}): Promise<string> {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'basic-auth', config });
  return host;
}

const encode = (text: string | Buffer) => Buffer.from(text).toString('base64');
const basic = (username: string, password: string) => `Basic ${encode(`${username}:${password}`)}`;
const authorized = (value: string, name = 'Authorization'): RequestOptions => ({
  headers: { [name]: value },
});
const asAda = () => authorized(basic('ada', PASSWORD));

async function outcome(host: string, options: RequestOptions = {}): Promise<string> {
  const answer = await proxy.send(host, '/', options);
  return answer.status === 200
    ? THROUGH
    : `${answer.status} ${answer.json<{ message: string }>().message} ${answer.header('www-authenticate')}`;
}

const THROUGH = 'let through';
const REFUSED = '401 Unauthorized Basic realm="service"';

describe('a request without the right password', () => {
  it('is refused with a challenge and the request id', async () => {
    const before = proxy.upstream.requestCount;
    const answer = await proxy.send(await protect());
    const id = answer.header('x-kong-request-id');
    expect([answer.status, answer.headerLines('www-authenticate')]).toEqual([401, ['Basic realm="service"']]);
    expect(answer.text).toBe(`{\n  "message":"Unauthorized",\n  "request_id":"${id}"\n}`);
    expect(proxy.upstream.requestCount).toBe(before);
  });

  it('is told the realm', async () => {
    const host = await protect({ realm: 'my api' });
    expect(await outcome(host)).toBe('401 Unauthorized Basic realm="my api"');
  });

  it.each([
    ['a wrong password', basic('ada', 'wrong')],
    ['no password', basic('ada', '')],
    ['a longer password', basic('ada', `${PASSWORD} `)],
    ['an unknown username', basic('nobody', PASSWORD)],
    ['another case of the username', basic('Ada', PASSWORD)],
    ['no username', basic('', PASSWORD)],
    ['no colon', `Basic ${encode('ada')}`],
    ['nothing encoded', 'Basic'],
    ['what is no base64', 'Basic !!!!'],
    ['a digit too many', `${basic('ada', PASSWORD)}A`],
    ['bytes that are no text', `Basic ${encode(Buffer.from([0x61, 0x64, 0x61, 0x3a, 0xff, 0xfe]))}`],
    ['another scheme', `Bearer ${encode(`ada:${PASSWORD}`)}`],
    ['a scheme in capitals', `BASIC ${encode(`ada:${PASSWORD}`)}`],
    ['an empty header', ''],
    ['a very long password', basic('ada', 'x'.repeat(2500))],
  ])('is refused with %s', async (_, value) => {
    expect(await outcome(await protect(), authorized(value))).toBe(REFUSED);
  });

  it('is refused with the hash for a password', async () => {
    const { data } = await proxy.write('GET', `/consumers/${ada.consumerId}/basic-auth`);
    expect(await outcome(await protect(), authorized(basic('ada', data[0].password)))).toBe(REFUSED);
  });
});

describe('the right password', () => {
  it('tells the service who is calling', async () => {
    const echo = await proxy.echo(await protect(), '/', asAda());
    expect(linesOf(echo, 'x-consumer-id')).toEqual([ada.consumerId]);
    expect(linesOf(echo, 'x-consumer-username')).toEqual(['of ada']);
    expect(linesOf(echo, 'x-consumer-custom-id')).toEqual(['a-1']);
    expect(linesOf(echo, 'x-credential-identifier')).toEqual(['ada']);
    expect(linesOf(echo, 'x-anonymous-consumer')).toEqual([]);
    expect(linesOf(echo, 'authorization')).toEqual([basic('ada', PASSWORD)]);
  });

  it('leaves nothing of what the client says about itself', async () => {
    const { username } = await makeUser(randomUUID(), 'p', { username: null, custom_id: randomUUID() });
    const forged = {
      'X-Consumer-Username': 'root',
      x_consumer_username: 'root',
      'X-Anonymous-Consumer': 'root',
    };
    const headers = { ...forged, 'X-Credential-Identifier': 'root', Authorization: basic(username, 'p') };
    const echo = await proxy.echo(await protect(), '/', { headers });
    expect(echo.headers.filter(([, value]) => value === 'root')).toEqual([]);
  });

  it.each([
    ['basic', `basic ${encode(`ada:${PASSWORD}`)}`],
    ['Basic and more space', `Basic   ${encode(`ada:${PASSWORD}`)}`],
    ['no padding', basic('ada', PASSWORD).replaceAll('=', '')],
  ])('may be written with %s', async (_, value) => {
    expect(await outcome(await protect(), authorized(value))).toBe(THROUGH);
  });

  it('may be meant for the proxy', async () => {
    const host = await protect();
    const proxied = { 'Proxy-Authorization': basic('ada', PASSWORD) };
    expect(await outcome(host, { headers: proxied })).toBe(THROUGH);
    const own = { ...proxied, Authorization: basic('somebody', 'else') };
    expect(await outcome(host, { headers: own })).toBe(THROUGH);
    const unknown = { 'Proxy-Authorization': basic('nobody', 'x'), Authorization: basic('ada', PASSWORD) };
    expect(await outcome(host, { headers: unknown })).toBe(THROUGH);
    const wrong = { 'Proxy-Authorization': basic('ada', 'wrong'), Authorization: basic('ada', PASSWORD) };
    expect(await outcome(host, { headers: wrong })).toBe(REFUSED);
  });
});

describe('hide_credentials', () => {
  it('takes out the header that was looked at, and leaves the one that was not', async () => {
    const host = await protect({ hide_credentials: true });
    expect(linesOf(await proxy.echo(host, '/', asAda()), 'authorization')).toEqual([]);
    const headers = { 'Proxy-Authorization': basic('ada', PASSWORD), Authorization: 'Bearer x' };
    const echo = await proxy.echo(host, '/', { headers });
    expect([linesOf(echo, 'proxy-authorization'), linesOf(echo, 'authorization')]).toEqual([
      [],
      ['Bearer x'],
    ]);
  });

  it('hides what is wrong from the service of an anonymous consumer too', async () => {
    const host = await protect({ hide_credentials: true, anonymous: 'of ada' });
    const echo = await proxy.echo(host, '/', authorized(basic('ada', 'wrong')));
    expect(linesOf(echo, 'authorization')).toEqual([]);
  });
});

describe('anonymous', () => {
  it('lets those act as a consumer who have no credential', async () => {
    const host = await protect({ anonymous: ada.consumerId });
    const echo = await proxy.echo(host, '/', authorized(basic('ada', 'wrong')));
    expect(linesOf(echo, 'x-consumer-id')).toEqual([ada.consumerId]);
    expect(linesOf(echo, 'x-anonymous-consumer')).toEqual(['true']);
    expect(linesOf(echo, 'x-credential-identifier')).toEqual([]);
    const known = await proxy.echo(host, '/', asAda());
    expect(linesOf(known, 'x-anonymous-consumer')).toEqual([]);
  });

  it('answers 500 where there is no such consumer', async () => {
    expect((await proxy.send(await protect({ anonymous: randomUUID() }))).status).toBe(500);
  });

  it('makes one of several plugins enough', async () => {
    const { host, routeId } = await proxy.expose();
    const { id } = await proxy.write('POST', '/consumers', { username: randomUUID() });
    for (const name of ['key-auth', 'basic-auth']) {
      await proxy.write('POST', `/routes/${routeId}/plugins`, { name, config: { anonymous: id } });
    }
    const { key } = await proxy.write('POST', `/consumers/${id}/key-auth`, {});
    const byKey = await proxy.echo(host, '/', { headers: { apikey: key, Authorization: basic('x', 'y') } });
    expect(linesOf(byKey, 'x-consumer-id')).toEqual([id]);
    expect(linesOf(byKey, 'x-anonymous-consumer')).toEqual([]);
    expect(linesOf(await proxy.echo(host, '/', asAda()), 'x-consumer-id')).toEqual([ada.consumerId]);
    expect(linesOf(await proxy.echo(host), 'x-anonymous-consumer')).toEqual(['true']);
  });
});

describe('a change', () => {
  const outcomes = async (host: string, username: string, password: string) =>
    new Set(
      await Promise.all(
        Array.from({ length: 8 }, () => outcome(host, authorized(basic(username, password)))),
      ),
    );

  it('holds for the next request, whatever was cached', async () => {
    const host = await protect();
    const username = `user ${randomUUID()}`;
    expect(await outcomes(host, username, 'one')).toEqual(new Set([REFUSED]));
    const { consumerId } = await makeUser(username, 'one');
    expect(await outcomes(host, username, 'one')).toEqual(new Set([THROUGH]));
    await proxy.write('PATCH', `/basic-auths/${encodeURIComponent(username)}`, { password: 'two' });
    expect(await outcomes(host, username, 'one')).toEqual(new Set([REFUSED]));
    expect(await outcomes(host, username, 'two')).toEqual(new Set([THROUGH]));
    await proxy.write('PATCH', `/basic-auths/${encodeURIComponent(username)}`, {
      username: `${username} II`,
    });
    expect(await outcomes(host, username, 'two')).toEqual(new Set([REFUSED]));
    expect(await outcomes(host, `${username} II`, 'two')).toEqual(new Set([THROUGH]));
    await proxy.write('DELETE', `/consumers/${consumerId}`);
    expect(await outcomes(host, `${username} II`, 'two')).toEqual(new Set([REFUSED]));
  });
});

describe('the configuration', () => {
  it('shows its defaults, and cannot be attached to a consumer', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'basic-auth' });
    expect(config).toEqual({ anonymous: null, hide_credentials: false, realm: 'service' });
    const { status, body } = await proxy.admin('POST', `/consumers/${ada.consumerId}/plugins`, {
      name: 'basic-auth',
    });
    expect([status, body.fields]).toEqual([400, { consumer: 'value must be null' }]);
  });

  it('logs no password', () => {
    expect(proxy.gateway.output()).not.toContain('pässwörd');
    expect(proxy.gateway.output()).not.toContain(encode(`ada:${PASSWORD}`));
  });
});
