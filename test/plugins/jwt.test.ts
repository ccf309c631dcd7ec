/** The limits of times in tokens, to the second, and what jwt tells other plugins. */
import { createHmac } from 'node:crypto';
import { loadPlugin, type PluginKit } from '@tollgate/sdk/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

const NOW_SECONDS = 1_800_000_000;
const consumer = { id: '00000000-0000-4000-8000-0000000000c1', username: 'alice', custom_id: null };
let kit: PluginKit;

beforeAll(async () => {
  kit = await loadPlugin(new URL('../../plugins/jwt/index.ts', import.meta.url), {
    nowMs: NOW_SECONDS * 1000 + 900,
  });
  kit.rows.put('consumers', consumer);
  kit.rows.put('jwt_secrets', {
    id: 'credential',
    consumer: { id: consumer.id },
    key: 'app',
    secret: 'secret',
    algorithm: 'HS256',
    rsa_public_key: null,
  });
});
afterAll(() => kit?.close());

function tokenOf(claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode({ iss: 'app', ...claims })}`;
  return `${text}.${createHmac('sha256', 'secret').update(text).digest('base64url')}`;
}

const send = (token: string, config: Record<string, unknown> = {}) =>
  kit.access({ headers: { authorization: `Bearer ${token}` } }, config);

it.each([
  [{ exp: NOW_SECONDS + 1, nbf: NOW_SECONDS }, undefined],
  [{ exp: NOW_SECONDS, nbf: NOW_SECONDS }, { exp: 'token expired' }],
  [{ exp: NOW_SECONDS + 1, nbf: NOW_SECONDS + 1 }, { nbf: 'token not valid yet' }],
  [{ exp: NOW_SECONDS + 60, nbf: 0 }, undefined],
  [{ exp: NOW_SECONDS + 61, nbf: 0 }, { exp: 'exceeds maximum allowed expiration' }],
  [{ exp: 1e308, nbf: -1 }, { exp: 'exceeds maximum allowed expiration' }],
])('takes times without leeway: %j', async (claims, body) => {
  const config = { claims_to_verify: ['exp', 'nbf'], maximum_expiration: 60 };
  const { exit } = await send(tokenOf(claims), config);
  expect(exit && JSON.parse(exit.body)).toEqual(body);
});

it('hands the token on, and of the credential no secret', async () => {
  const token = tokenOf({});
  const report = await send(token);
  expect(report.shared).toEqual({ authenticated_jwt_token: token });
  expect(report.consumer).toEqual(consumer);
  expect(report.credential).toEqual({ id: 'credential', key: 'app', consumer: { id: consumer.id } });
});
