import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EchoedRequest } from '../../support/start-upstream.ts';
import type { RequestOptions } from '../support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy?.stop());

async function correlate(config: Record<string, unknown> = {}): Promise<string> {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'correlation-id', config });
  return host;
}

/** The ids the service and the client have received. */
async function ids(host: string, name = 'Kong-Request-ID', headers: RequestOptions['headers'] = {}) {
  const answer = await proxy.send(host, '/', { headers });
  return {
    service: linesOf(answer.json<EchoedRequest>(), name),
    client: answer.headerLines(name.toLowerCase()),
  };
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

describe('a request without an id', () => {
  it('gets a UUID and a number that counts on', async () => {
    const host = await correlate();
    const texts = [await ids(host), await ids(host), await ids(host)].map(({ service }) => service[0] ?? '');
    const parts = texts.map((text) => new RegExp(`^(${UUID})#(\\d+)$`).exec(text)?.slice(1) ?? []);
    expect(new Set(parts.map(([uuid]) => uuid)).size).toBe(1);
    const first = Number(parts[0]?.[1]);
    expect(parts.map(([, number]) => Number(number))).toEqual([first, first + 1, first + 2]);
  });

  it('gets a UUID of its own with the generator uuid', async () => {
    const host = await correlate({ generator: 'uuid' });
    const [first, second] = [(await ids(host)).service[0], (await ids(host)).service[0]];
    expect(first).toMatch(new RegExp(`^${UUID}$`));
    expect(second).toMatch(new RegExp(`^${UUID}$`));
    expect(first).not.toBe(second);
  });

  it('gets address, port, process, connection, request and time with the generator tracker', async () => {
    const host = await correlate({ generator: 'tracker' });
    const [first = '', second] = [(await ids(host)).service[0], (await ids(host)).service[0]];
    expect(first).toMatch(/^\d+\.\d+\.\d+\.\d+-\d+-\d+-\d+-\d+-\d+\.\d{3}$/);
    expect(first.split('-')[1]).toBe(String(proxy.port));
    expect(first).not.toBe(second);
  });

  it('is one whose header is empty, too', async () => {
    const { service } = await ids(await correlate({ generator: 'uuid' }), undefined, {
      'Kong-Request-ID': '',
    });
    expect(service).toHaveLength(1);
    expect(service[0]).toMatch(new RegExp(`^${UUID}$`));
  });
});

describe('a request with an id', () => {
  it('keeps it', async () => {
    const host = await correlate({ header_name: 'X-Trace', echo_downstream: true });
    const given = `odd "value" ${'x'.repeat(1000)}`;
    expect(await ids(host, 'X-Trace', { 'x-trace': given })).toEqual({ service: [given], client: [given] });
  });
});

describe('the answer', () => {
  it('tells nothing of it unless asked to', async () => {
    expect((await ids(await correlate())).client).toEqual([]);
  });

  it('carries the same id with echo_downstream, in place of one of the service', async () => {
    const host = await correlate({ echo_downstream: true });
    const answer = await proxy.send(host, '/headers?Kong-Request-ID=theirs');
    const sent = linesOf(answer.json<EchoedRequest>(), 'Kong-Request-ID');
    expect(answer.headerLines('kong-request-id')).toEqual(sent);
  });

  it('carries it when another plugin refuses the request', async () => {
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'correlation-id',
      config: { echo_downstream: true },
    });
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth' });
    const answer = await proxy.send(host, '/', { headers: { 'Kong-Request-ID': 'mine' } });
    expect([answer.status, answer.header('kong-request-id')]).toEqual([401, 'mine']);
    expect((await proxy.send(host)).header('kong-request-id')).toMatch(new RegExp(`^${UUID}#\\d+$`));
  });

  it('carries it where no route matches, when the plugin is global', async () => {
    const { id } = await proxy.write('POST', '/plugins', {
      name: 'correlation-id',
      config: { echo_downstream: true, generator: 'uuid' },
    });
    const made = await proxy.send('nowhere.test');
    const kept = await proxy.send('nowhere.test', '/', { headers: { 'Kong-Request-ID': 'mine' } });
    await proxy.write('DELETE', `/plugins/${id}`);
    expect([made.status, kept.status]).toEqual([404, 404]);
    expect(made.header('kong-request-id')).toMatch(new RegExp(`^${UUID}$`));
    expect(kept.header('kong-request-id')).toBe('mine');
  });
});

it('applies once where it is configured twice: the narrower one', async () => {
  const { host, routeId, serviceId } = await proxy.expose();
  const configure = (path: string, header: string) =>
    proxy.write('POST', path, { name: 'correlation-id', config: { header_name: header } });
  await configure(`/services/${serviceId}/plugins`, 'X-Service');
  await configure(`/routes/${routeId}/plugins`, 'X-Route');
  const echo = await proxy.echo(host);
  expect([linesOf(echo, 'X-Route').length, linesOf(echo, 'X-Service').length]).toEqual([1, 0]);
});

describe('the configuration', () => {
  it('has defaults', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'correlation-id' });
    expect(config).toEqual({
      header_name: 'Kong-Request-ID',
      generator: 'uuid#counter',
      echo_downstream: false,
    });
  });

  it.each([
    [{ generator: 'dice' }, { generator: 'expected one of: uuid, uuid#counter, tracker' }],
    [
      { header_name: 'a b' },
      { header_name: "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'" },
    ],
    [{ echo_downstream: 'perhaps' }, { echo_downstream: 'expected a boolean' }],
    [{ other: 1 }, { other: 'unknown field' }],
  ])('refuses %j', async (config, errors) => {
    const { body } = await proxy.admin('POST', '/plugins', { name: 'correlation-id', config });
    expect(body).toMatchObject({ code: 2, fields: { config: errors } });
  });
});
