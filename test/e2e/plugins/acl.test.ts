import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startProxy({ DATABASE_URL: database.url, TOLLGATE_WORKERS: '2' });
});
afterAll(async () => {
  await proxy?.stop();
  await database?.drop();
});

/** A consumer with a key, in these groups. */
async function makeMember(...groups: readonly string[]) {
  const { id } = await proxy.write('POST', '/consumers', { username: randomUUID() });
  const { key } = await proxy.write('POST', `/consumers/${id}/key-auth`, {});
  for (const group of groups) await proxy.write('POST', `/consumers/${id}/acls`, { group });
  return { id, key } as { readonly id: string; readonly key: string };
}

/** A host behind acl, and key-auth unless that is null. */
async function guard(
  config: Record<string, unknown>,
  keyAuth: Record<string, unknown> | null = {},
  through = proxy,
): Promise<string> {
  const { host, routeId } = await through.expose();
  if (keyAuth !== null) {
    await through.write('POST', `/routes/${routeId}/plugins`, { name: 'key-auth', config: keyAuth });
  }
  await through.write('POST', `/routes/${routeId}/plugins`, { name: 'acl', config });
  return host;
}

const withKey = (key: string, more: Record<string, string> = {}) => ({ headers: { apikey: key, ...more } });

async function outcome(host: string, key?: string, through = proxy): Promise<string> {
  const answer = await through.send(host, '/', key === undefined ? {} : withKey(key));
  if (answer.status === 200) return THROUGH;
  expect(answer.headerLines('www-authenticate')).toEqual([]);
  return `${answer.status} ${answer.json<{ message: string }>().message}`;
}

const THROUGH = 'let through';
const FORBIDDEN = '403 You cannot consume this service';
const UNAUTHORIZED = '401 Unauthorized';

describe('the list of those who may', () => {
  it('lets in who is in one of its groups, and nobody else', async () => {
    const host = await guard({ allow: ['gold', 'silver'] });
    expect(await outcome(host, (await makeMember('silver', 'other')).key)).toBe(THROUGH);
    expect(await outcome(host, (await makeMember('other')).key)).toBe(FORBIDDEN);
    expect(await outcome(host, (await makeMember()).key)).toBe(FORBIDDEN);
    expect(await outcome(host, (await makeMember('Gold')).key)).toBe(FORBIDDEN);
  });

  it('tells the refused with the id of their request', async () => {
    const host = await guard({ allow: ['gold'] });
    const answer = await proxy.send(host, '/', withKey((await makeMember()).key));
    const id = answer.header('x-kong-request-id');
    expect(answer.text).toBe(`{\n  "message":"You cannot consume this service",\n  "request_id":"${id}"\n}`);
  });
});

describe('the list of those who may not', () => {
  it('keeps out who is in one of its groups, and nobody else', async () => {
    const host = await guard({ deny: ['banned', 'expired'] });
    expect(await outcome(host, (await makeMember('gold', 'expired')).key)).toBe(FORBIDDEN);
    expect(await outcome(host, (await makeMember('gold')).key)).toBe(THROUGH);
    expect(await outcome(host, (await makeMember()).key)).toBe(THROUGH);
  });
});

describe('somebody unknown', () => {
  it.each([{ allow: ['gold'] }, { deny: ['banned'] }])('is told to say who they are: %j', async (config) => {
    expect(await outcome(await guard(config, null))).toBe(UNAUTHORIZED);
  });

  it('passes as the anonymous consumer by the groups of that one', async () => {
    const member = await makeMember('guests');
    const nobody = await makeMember();
    expect(await outcome(await guard({ allow: ['guests'] }, { anonymous: member.id }))).toBe(THROUGH);
    expect(await outcome(await guard({ deny: ['guests'] }, { anonymous: member.id }))).toBe(FORBIDDEN);
    expect(await outcome(await guard({ allow: ['gold'] }, { anonymous: member.id }))).toBe(FORBIDDEN);
    expect(await outcome(await guard({ allow: ['gold'] }, { anonymous: nobody.id }))).toBe(UNAUTHORIZED);
    expect(await outcome(await guard({ deny: ['gold'] }, { anonymous: nobody.id }))).toBe(THROUGH);
  });
});

describe('the headers of groups', () => {
  it('tell the service of all groups of the consumer', async () => {
    const { key } = await makeMember('gold', 'a b', 'admin');
    const echo = await proxy.echo(await guard({ allow: ['gold'] }), '/', withKey(key));
    expect(linesOf(echo, 'x-consumer-groups')).toEqual(['a b, admin, gold']);
    expect(linesOf(echo, 'x-authenticated-groups')).toEqual([]);
  });

  it('are left out where they shall be hidden', async () => {
    const { key } = await makeMember('gold');
    const host = await guard({ allow: ['gold'], hide_groups_header: true });
    const echo = await proxy.echo(host, '/', withKey(key));
    expect(linesOf(echo, 'x-consumer-groups')).toEqual([]);
  });

  it('never are what the client says of itself, in either spelling', async () => {
    const forged = {
      'X-Consumer-Groups': 'root',
      x_consumer_groups: 'root',
      'X-Authenticated-Groups': 'root',
      x_authenticated_groups: 'root',
    };
    const member = await makeMember('gold');
    const nobody = await makeMember();
    for (const [config, key] of [
      [{ allow: ['gold'] }, member.key],
      [{ allow: ['gold'], hide_groups_header: true }, member.key],
      [{ deny: ['banned'] }, nobody.key],
    ] as const) {
      const echo = await proxy.echo(await guard(config), '/', withKey(key, forged));
      expect(echo.headers.filter(([, value]) => value.includes('root'))).toEqual([]);
    }
  });
});

describe('a change', () => {
  /** Of several requests, so that every worker answers one. */
  const outcomes = async (host: string, key: string) =>
    new Set(await Promise.all(Array.from({ length: 8 }, () => outcome(host, key))));

  it('of groups holds for the next request, cached or not', async () => {
    const host = await guard({ allow: ['gold'] });
    const { id, key } = await makeMember();
    expect(await outcomes(host, key)).toEqual(new Set([FORBIDDEN]));
    const group = await proxy.write('PUT', `/consumers/${id}/acls/gold`, {});
    expect(await outcomes(host, key)).toEqual(new Set([THROUGH]));
    await proxy.write('PATCH', `/acls/${group.id}`, { group: 'silver' });
    expect(await outcomes(host, key)).toEqual(new Set([FORBIDDEN]));
    await proxy.write('PATCH', `/consumers/${id}/acls/silver`, { group: 'gold' });
    expect(await outcomes(host, key)).toEqual(new Set([THROUGH]));
    await proxy.write('DELETE', `/consumers/${id}/acls/gold`);
    expect(await outcomes(host, key)).toEqual(new Set([FORBIDDEN]));
  });

  it('of the consumer a group belongs to holds for both', async () => {
    const host = await guard({ allow: ['gold'] });
    const [first, second] = [await makeMember('gold'), await makeMember()];
    expect([await outcome(host, first.key), await outcome(host, second.key)]).toEqual([THROUGH, FORBIDDEN]);
    const { data } = await proxy.write('GET', `/consumers/${first.id}/acls`);
    await proxy.write('PATCH', `/acls/${data[0].id}`, { consumer: { id: second.id } });
    expect([await outcomes(host, first.key), await outcomes(host, second.key)]).toEqual([
      new Set([FORBIDDEN]),
      new Set([THROUGH]),
    ]);
  });

  it('reaches a node that holds nothing of the database but what it was asked for', async () => {
    const forgetful = await startProxy({ DATABASE_URL: database.url, TOLLGATE_ENTITY_CACHE_ROWS: '0' });
    try {
      const host = await guard({ allow: ['gold'] }, {}, forgetful);
      const { id, key } = await makeMember('gold');
      await expect.poll(() => outcome(host, key, forgetful)).toBe(THROUGH);
      await proxy.write('DELETE', `/consumers/${id}/acls/gold`);
      await expect.poll(() => outcome(host, key, forgetful)).toBe(FORBIDDEN);
      await proxy.write('PUT', `/consumers/${id}/acls/gold`, {});
      await expect.poll(() => outcome(host, key, forgetful)).toBe(THROUGH);
    } finally {
      await forgetful.stop();
    }
  });
});

describe('the configuration', () => {
  const post = (config: unknown, more: Record<string, unknown> = {}) =>
    proxy.admin('POST', '/plugins', { name: 'acl', config, ...more });
  const BOTH = "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'";
  const NONE = "at least one of these fields must be non-empty: 'config.allow', 'config.deny'";

  it.each([
    [{ allow: ['a'], deny: ['b'] }, [BOTH]],
    [{}, [BOTH, NONE]],
    [{ allow: [], deny: null }, [BOTH, NONE]],
  ])('needs one list: not %j', async (config, texts) => {
    const { status, body } = await post(config);
    expect([status, body.fields]).toEqual([400, { '@entity': texts }]);
  });

  it('cannot be attached to a consumer', async () => {
    const { id } = await makeMember();
    const { status, body } = await post({ allow: ['a'] }, { consumer: { id } });
    expect([status, body.fields]).toEqual([400, { consumer: 'value must be null' }]);
  });

  it('shows its defaults', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, {
      name: 'acl',
      config: { allow: ['a'] },
    });
    expect(config).toEqual({
      allow: ['a'],
      deny: null,
      hide_groups_header: false,
      always_use_authenticated_groups: false,
    });
  });

  it('is described with its rules', async () => {
    const { fields, entity_checks: checks } = await proxy.write('GET', '/schemas/plugins/acl');
    expect(Object.keys(Object.assign({}, ...fields))).toContain('config');
    expect(checks).toEqual([
      { only_one_of: ['config.allow', 'config.deny'] },
      { at_least_one_of: ['config.allow', 'config.deny'] },
    ]);
  });
});
