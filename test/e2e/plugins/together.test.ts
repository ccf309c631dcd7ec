/** Several plugins on one route: who comes first, and what of whom is on an answer that another one gave. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SentAnswer } from '../support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;
let host: string;

const PLUGINS = [
  // Not in the order in which they run.
  { name: 'request-termination', config: { trigger: 'x-stop', status_code: 410 } },
  {
    name: 'request-transformer',
    config: {
      add: { headers: ['X-Caller:$(headers.x_consumer_username)'] },
      remove: { headers: ['x-stop'] },
    },
  },
  { name: 'rate-limiting', config: { hour: 1000 } },
  { name: 'acl', config: { deny: ['banned'] } },
  { name: 'ip-restriction', config: { deny: ['10.0.0.0/8'] } },
  { name: 'key-auth', config: {} },
  { name: 'cors', config: { origins: ['https://site.test'] } },
  { name: 'correlation-id', config: { echo_downstream: true } },
];

beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_TRUSTED_IPS: '127.0.0.1', TOLLGATE_REAL_IP_HEADER: 'X-Forwarded-For' });
  const exposed = await proxy.expose();
  host = exposed.host;
  for (const plugin of PLUGINS) await proxy.write('POST', `/routes/${exposed.routeId}/plugins`, plugin);
  for (const username of ['welcome', 'outcast']) {
    await proxy.write('POST', '/consumers', { username });
    await proxy.write('POST', `/consumers/${username}/key-auth`, { key: `key of ${username}` });
  }
  await proxy.write('POST', '/consumers/outcast/acls', { group: 'banned' });
});
afterAll(() => proxy?.stop());

const send = (headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  proxy.send(host, '/', { method, headers: { Origin: 'https://site.test', ...headers } });

/** Which plugins have left something on the answer. */
function marksOn(answer: SentAnswer): readonly string[] {
  const marks = {
    'correlation-id': answer.header('kong-request-id'),
    cors: answer.header('access-control-allow-origin'),
    'rate-limiting': answer.header('ratelimit-limit'),
  };
  return Object.entries(marks).flatMap(([name, mark]) => (mark === undefined ? [] : [name]));
}

it.each<readonly [string, Readonly<Record<string, string>>, number, readonly string[]]>([
  ['key-auth refuses', { apikey: 'unknown' }, 401, ['correlation-id', 'cors']],
  [
    'ip-restriction refuses',
    { apikey: 'key of outcast', 'X-Forwarded-For': '10.1.1.1' },
    403,
    ['correlation-id', 'cors'],
  ],
  ['acl refuses', { apikey: 'key of outcast' }, 403, ['correlation-id', 'cors']],
  ['nobody refuses', { apikey: 'key of welcome' }, 200, ['correlation-id', 'cors', 'rate-limiting']],
])('when %s, those before it have left their marks', async (_, headers, status, marks) => {
  const answer = await send(headers);
  expect([answer.status, marksOn(answer)]).toEqual([status, marks]);
});

it('a preflight needs no key and uses nothing up', async () => {
  const answer = await send({ 'Access-Control-Request-Method': 'PUT' }, 'OPTIONS');
  expect([answer.status, marksOn(answer)]).toEqual([200, ['correlation-id', 'cors']]);
});

it('the service sees what all of them made of the request', async () => {
  const echo = await proxy.echo(host, '/', {
    headers: { apikey: 'key of welcome', 'Kong-Request-ID': 'mine' },
  });
  const seen = ['X-Caller', 'X-Consumer-Username', 'Kong-Request-ID'].map((name) => linesOf(echo, name));
  expect(seen).toEqual([['welcome'], ['welcome'], ['mine']]);
});

it('request-termination is last, and finds the request as those before it left it', async () => {
  const asked = await proxy.send(host, '/?x-stop', { headers: { apikey: 'key of welcome' } });
  expect([asked.status, marksOn(asked)]).toEqual([410, ['correlation-id', 'cors', 'rate-limiting']]);
  const removed = await send({ apikey: 'key of welcome', 'x-stop': '1' });
  expect(removed.status).toBe(200);
});
