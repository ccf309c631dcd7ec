import { constants, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOptions, SentAnswer } from '../support/send-request.ts';
import { linesOf, type ProxyUnderTest, startProxy } from '../support/start-proxy.ts';

let proxy: ProxyUnderTest;
/** The consumer and key of most tests. */
let app: { readonly consumerId: string; readonly key: string };

beforeAll(async () => {
  proxy = await startProxy({ TOLLGATE_WORKERS: '2' });
  app = await makeKey({ key: 'app', secret: SECRET }, { username: 'app-owner', custom_id: 'a-1' });
});
afterAll(() => proxy?.stop());

const SECRET = 'sëcret of the app';

async function makeKey(members: Record<string, unknown> = {}, consumer: Record<string, unknown> = {}) {
  const { id } = await proxy.write('POST', '/consumers', { username: randomUUID(), ...consumer });
  const { key } = await proxy.write('POST', `/consumers/${id}/jwt`, members);
  return { consumerId: id as string, key: key as string };
}

async function protect(config: Record<string, unknown> = {}): Promise<string> {
  const { host, routeId } = await proxy.expose();
  await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'jwt', config });
  return host;
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

type Signer = (text: string) => Buffer;
const hmac =
  (secret: string | Buffer, hash = 'sha256'): Signer =>
  (text) =>
    createHmac(hash, secret).update(text).digest();

function tokenOf(
  claims: unknown = { iss: 'app' },
  header: unknown = { alg: 'HS256', typ: 'JWT' },
  signer: Signer = hmac(SECRET),
): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${signer(text).toString('base64url')}`;
}

const bearing = (token: string, more: RequestOptions['headers'] = {}): RequestOptions => ({
  headers: { Authorization: `Bearer ${token}`, ...more },
});

async function outcome(host: string, options: RequestOptions = {}, path = '/'): Promise<string> {
  return describeAnswer(await proxy.send(host, path, options));
}

function describeAnswer(answer: SentAnswer): string {
  if (answer.status === 200) return THROUGH;
  return `${answer.status} ${answer.text} ${answer.headerLines('www-authenticate').join()}`;
}

const THROUGH = 'let through';
const MISSING = '401 {"message":"Unauthorized"} Bearer';
const refusedWith = (body: object) => `401 ${JSON.stringify(body)} Bearer error="invalid_token"`;
const refused = (message: string) => refusedWith({ message });

describe('a request without a token', () => {
  it('is refused with a bare challenge', async () => {
    const answer = await proxy.send(await protect());
    expect(describeAnswer(answer)).toBe(MISSING);
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
  });

  it('is told the realm', async () => {
    const host = await protect({ realm: 'my api' });
    expect(await outcome(host)).toBe('401 {"message":"Unauthorized"} Bearer realm="my api"');
    expect((await proxy.send(host, '/', bearing('x'))).header('www-authenticate')).toBe(
      'Bearer realm="my api" error="invalid_token"',
    );
  });

  it.each(['Basic abc', 'Bearer', 'BearerX', tokenOf()])('has none in the header %s', async (value) => {
    expect(await outcome(await protect(), { headers: { Authorization: value } })).toBe(MISSING);
  });
});

describe('a good token', () => {
  it('tells the service who is calling, and goes there too', async () => {
    const echo = await proxy.echo(await protect(), '/', bearing(tokenOf()));
    expect(linesOf(echo, 'x-consumer-id')).toEqual([app.consumerId]);
    expect(linesOf(echo, 'x-consumer-username')).toEqual(['app-owner']);
    expect(linesOf(echo, 'x-consumer-custom-id')).toEqual(['a-1']);
    expect(linesOf(echo, 'x-credential-identifier')).toEqual(['app']);
    expect(linesOf(echo, 'x-anonymous-consumer')).toEqual([]);
    expect(linesOf(echo, 'authorization')).toEqual([`Bearer ${tokenOf()}`]);
  });

  it('leaves nothing of what the client says about itself', async () => {
    const forged = { 'X-Consumer-ID': 'root', x_consumer_id: 'root', 'X-Anonymous-Consumer': 'root' };
    const echo = await proxy.echo(await protect(), '/', bearing(tokenOf(), forged));
    expect(echo.headers.filter(([, value]) => value === 'root')).toEqual([]);
  });

  it('may name its key in the header, and by another claim', async () => {
    const byKid = await protect({ key_claim_name: 'kid' });
    expect(await outcome(byKid, bearing(tokenOf({}, { alg: 'HS256', kid: 'app' })))).toBe(THROUGH);
    expect(await outcome(byKid, bearing(tokenOf({ kid: 'app' })))).toBe(THROUGH);
    // The claims come first.
    expect(await outcome(byKid, bearing(tokenOf({ kid: 'x' }, { alg: 'HS256', kid: 'app' })))).toBe(
      refused("No credentials found for given 'kid'"),
    );
    expect(await outcome(byKid, bearing(tokenOf()))).toBe(refused("No mandatory 'kid' in claims"));
  });

  it.each(['bearer', 'Bearer', 'Bearer  '])('may come behind the word %j', async (word) => {
    const options = { headers: { Authorization: `${word} ${tokenOf()}` } };
    expect(await outcome(await protect(), options)).toBe(THROUGH);
  });
});

describe('the places of a token', () => {
  it('are the header, the query and no cookie unless they are told otherwise', async () => {
    const host = await protect();
    expect(await outcome(host, {}, `/?jwt=${tokenOf()}`)).toBe(THROUGH);
    expect(await outcome(host, { headers: { Cookie: `jwt=${tokenOf()}` } })).toBe(MISSING);
    const others = await protect({
      uri_param_names: ['t'],
      cookie_names: ['session'],
      header_names: ['x-token'],
    });
    expect(await outcome(others, bearing(tokenOf()), `/?jwt=${tokenOf()}`)).toBe(MISSING);
    expect(await outcome(others, {}, `/?t=${tokenOf()}`)).toBe(THROUGH);
    expect(await outcome(others, { headers: { Cookie: `a=b; session=${tokenOf()}; c` } })).toBe(THROUGH);
    expect(await outcome(others, { headers: { 'X-Token': `Bearer ${tokenOf()}` } })).toBe(THROUGH);
    const nowhere = await protect({ uri_param_names: [], header_names: [] });
    expect(await outcome(nowhere, bearing(tokenOf()), `/?jwt=${tokenOf()}`)).toBe(MISSING);
  });

  it('may all hold the same token, and no two', async () => {
    const host = await protect({ cookie_names: ['jwt'] });
    const token = tokenOf();
    const other = tokenOf({ iss: 'app', n: 1 });
    expect(
      await outcome(host, bearing(token, { Cookie: `jwt=${token}` }), `/?jwt=${token}&jwt=${token}`),
    ).toBe(THROUGH);
    const several = refused('Multiple tokens provided');
    expect(await outcome(host, bearing(token), `/?jwt=${other}`)).toBe(several);
    expect(await outcome(host, {}, `/?jwt=${token}&jwt=${other}`)).toBe(several);
    expect(await outcome(host, bearing(token, { Cookie: `jwt=${other}` }))).toBe(several);
    const twice = { headers: { Authorization: [`Bearer ${token}`, `Bearer ${other}`] } };
    expect(await outcome(host, twice)).toBe(several);
  });

  it.each(['/?jwt', '/?jwt=', '/?JWT=x', '/?a=b'])('hold nothing in %s', async (path) => {
    expect(await outcome(await protect(), {}, path)).toBe(MISSING);
  });
});

describe('a token that cannot be read', () => {
  const [header, claims, signature] = tokenOf().split('.') as [string, string, string];

  it.each([
    ['of one part', 'abc', 'invalid JSON'],
    ['of two parts', `${header}.${claims}`, 'invalid JSON'],
    ['of dots', '..', 'invalid JSON'],
    ['with a header that is no base64', `!!.${claims}.${signature}`, 'invalid JSON'],
    ['with a header that is no JSON', `${encode('{"alg":')}.${claims}.${signature}`, 'invalid JSON'],
    ['with claims that are no JSON', `${header}.${encode('{iss}')}.${signature}`, 'invalid JSON'],
    [
      'with claims that are no text',
      `${header}.${Buffer.from([0xff, 0xfe]).toString('base64url')}.${signature}`,
      'invalid JSON',
    ],
    ['without an algorithm', tokenOf({ iss: 'app' }, {}), 'invalid alg'],
    ['with a number for an algorithm', tokenOf({ iss: 'app' }, { alg: 256 }), 'invalid alg'],
    ['with a list of algorithms', tokenOf({ iss: 'app' }, { alg: ['HS256'] }), 'invalid alg'],
    ['with a text for a header', tokenOf({ iss: 'app' }, '"alg"'), 'invalid alg'],
    ['with null for a header', tokenOf({ iss: 'app' }, 'null'), 'invalid alg'],
    ['with the algorithm none', `${encode({ alg: 'none' })}.${claims}.`, 'invalid alg'],
    ['with the algorithm None', `${encode({ alg: 'None' })}.${claims}.`, 'invalid alg'],
    ['with an unknown algorithm', tokenOf({ iss: 'app' }, { alg: 'HS1' }), 'invalid alg'],
    ['with an algorithm in small letters', tokenOf({ iss: 'app' }, { alg: 'hs256' }), 'invalid alg'],
    ['with an inherited algorithm', tokenOf({ iss: 'app' }, { alg: 'constructor' }), 'invalid alg'],
    ['with claims that are a number', tokenOf('5'), 'invalid claims'],
    ['with claims that are null', tokenOf('null'), 'invalid claims'],
    ['with claims that are a list', tokenOf(['iss', 'app']), 'invalid claims'],
    ['with a signature that is no base64', `${header}.${claims}.!!`, 'invalid signature'],
    ['of four parts', `${tokenOf()}.x`, 'invalid signature'],
  ])('is refused %s', async (_, token, problem) => {
    expect(await outcome(await protect(), bearing(token))).toBe(refused(`Bad token; ${problem}`));
  });

  it('is refused however long and deep it is', async () => {
    const host = await protect();
    const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`;
    expect(await outcome(host, bearing(tokenOf(deep)))).toBe(refused('Bad token; invalid claims'));
    expect(await outcome(host, bearing('a.'.repeat(3000)))).toBe(refused('Bad token; invalid JSON'));
    const long = `${header}.${claims}.${'A'.repeat(6000)}`;
    expect(await outcome(host, bearing(long))).toBe(refused('Invalid signature'));
    expect(await outcome(host, bearing(tokenOf()))).toBe(THROUGH);
  });
});

describe('a token whose key is not to be found', () => {
  it.each([
    [{}, "No mandatory 'iss' in claims"],
    [{ iss: null }, "No mandatory 'iss' in claims"],
    [{ iss: '' }, "Invalid 'iss' in claims"],
    [{ iss: 5 }, "Invalid 'iss' in claims"],
    [{ iss: { app: 1 } }, "Invalid 'iss' in claims"],
    [{ iss: 'nobody' }, "No credentials found for given 'iss'"],
    [{ iss: 'App' }, "No credentials found for given 'iss'"],
  ])('is refused with the claims %j', async (claims, message) => {
    expect(await outcome(await protect(), bearing(tokenOf(claims)))).toBe(refused(message));
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'finds no claim in what all objects have: %s',
    async (name) => {
      const host = await protect({ key_claim_name: name });
      expect(await outcome(host, bearing(tokenOf()))).toBe(refused(`No mandatory '${name}' in claims`));
    },
  );
});

describe('a signature', () => {
  it.each([
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ])('is verified by a secret with %s', async (algorithm, hash) => {
    const { key } = await makeKey({ algorithm, secret: SECRET });
    const host = await protect();
    const header = { alg: algorithm };
    expect(await outcome(host, bearing(tokenOf({ iss: key }, header, hmac(SECRET, hash))))).toBe(THROUGH);
    expect(await outcome(host, bearing(tokenOf({ iss: key }, header, hmac('other', hash))))).toBe(
      refused('Invalid signature'),
    );
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  const raw = { dsaEncoding: 'ieee-p1363' };
  it.each([
    ['RS256', rsa, 'sha256', {}],
    ['RS384', rsa, 'sha384', {}],
    ['RS512', rsa, 'sha512', {}],
    ['PS256', rsa, 'sha256', pss(32)],
    ['PS384', rsa, 'sha384', pss(48)],
    ['PS512', rsa, 'sha512', pss(64)],
    ['ES256', curve('prime256v1'), 'sha256', raw],
    ['ES384', curve('secp384r1'), 'sha384', raw],
    ['ES512', curve('secp521r1'), 'sha512', raw],
    ['EdDSA', generateKeyPairSync('ed25519'), undefined, {}],
  ] as const)('is verified by a public key with %s', async (algorithm, pair, hash, options) => {
    const signer = (privateKey: KeyObject) => (text: string) =>
      sign(hash, Buffer.from(text), { key: privateKey, ...options } as never);
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const { key } = await makeKey({ algorithm, rsa_public_key: pem });
    const host = await protect();
    const header = { alg: algorithm };
    const good = tokenOf({ iss: key }, header, signer(pair.privateKey));
    expect(await outcome(host, bearing(good))).toBe(THROUGH);
    const [head, , signature] = good.split('.');
    const other = `${head}.${encode({ iss: key, admin: true })}.${signature}`;
    expect(await outcome(host, bearing(other))).toBe(refused('Invalid signature'));
    // A public key is known to everybody: nobody may sign with it as if it were a secret.
    const confused = tokenOf({ iss: key }, { alg: 'HS256' }, hmac(pem));
    expect(await outcome(host, bearing(confused))).toBe(refused('Invalid algorithm'));
  });

  it('is verified by the algorithm of the key alone', async () => {
    const host = await protect();
    const token = tokenOf({ iss: 'app' }, { alg: 'HS512' }, hmac(SECRET, 'sha512'));
    expect(await outcome(host, bearing(token))).toBe(refused('Invalid algorithm'));
  });

  it('is wrong when it is empty, cut short or of other text', async () => {
    const host = await protect();
    const [header, claims, signature = ''] = tokenOf().split('.');
    const others = [
      `${header}.${claims}.`,
      `${header}.${claims}.${signature.slice(0, 20)}`,
      `${encode({ typ: 'JWT', alg: 'HS256' })}.${claims}.${signature}`,
      `${header}.${encode({ iss: 'app', admin: true })}.${signature}`,
    ];
    for (const token of others)
      expect(await outcome(host, bearing(token))).toBe(refused('Invalid signature'));
  });

  it('is refused where the key has nothing to verify it with', async () => {
    const { key } = await makeKey({ algorithm: 'ES256' });
    const token = tokenOf({ iss: key }, { alg: 'ES256' }, () => Buffer.alloc(64));
    expect(await outcome(await protect(), bearing(token))).toBe(refused('Invalid key/secret'));
  });

  it('is refused where the key is one of another kind', async () => {
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    const { key } = await makeKey({ algorithm: 'ES256', rsa_public_key: pem });
    const token = tokenOf({ iss: key }, { alg: 'ES256' }, () => Buffer.alloc(64));
    expect(await outcome(await protect(), bearing(token))).toBe(refused('Invalid signature'));
  });

  it('is made with the bytes that a secret in base64 stands for', async () => {
    const bytes = Buffer.from([0, 255, 254, 10, 62, 63]);
    const host = await protect({ secret_is_base64: true });
    for (const encoding of ['base64', 'base64url'] as const) {
      const { key } = await makeKey({ secret: bytes.toString(encoding) });
      expect(await outcome(host, bearing(tokenOf({ iss: key }, undefined, hmac(bytes))))).toBe(THROUGH);
    }
    const plain = await makeKey({ secret: 'not base64!' });
    expect(await outcome(host, bearing(tokenOf({ iss: plain.key }, undefined, hmac('not base64!'))))).toBe(
      refused('Invalid key/secret'),
    );
  });
});

describe('claims about time', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const answerTo = async (host: string, claims: object) =>
    outcome(host, bearing(tokenOf({ iss: 'app', ...claims })));

  it('are not looked at unless they shall be', async () => {
    expect(await answerTo(await protect(), { exp: 1, nbf: now() + 1000 })).toBe(THROUGH);
  });

  it('have to be there and hold', async () => {
    const host = await protect({ claims_to_verify: ['exp', 'nbf'] });
    expect(await answerTo(host, { exp: now() + 100, nbf: now() - 1 })).toBe(THROUGH);
    expect(await answerTo(host, { exp: now() - 1, nbf: now() - 1 })).toBe(
      refusedWith({ exp: 'token expired' }),
    );
    expect(await answerTo(host, { exp: now() + 100, nbf: now() + 100 })).toBe(
      refusedWith({ nbf: 'token not valid yet' }),
    );
    expect(await answerTo(host, { exp: '9999999999', nbf: 1 })).toBe(
      refusedWith({ exp: 'must be a number' }),
    );
    expect(await answerTo(host, {})).toBe(refusedWith({ exp: 'must be a number', nbf: 'must be a number' }));
    expect(await answerTo(host, { exp: null, nbf: 1 })).toBe(refusedWith({ exp: 'must be a number' }));
  });

  it('may not reach further than allowed', async () => {
    const host = await protect({ claims_to_verify: ['exp'], maximum_expiration: 300 });
    expect(await answerTo(host, { exp: now() + 200 })).toBe(THROUGH);
    expect(await answerTo(host, { exp: now() + 400 })).toBe(
      refusedWith({ exp: 'exceeds maximum allowed expiration' }),
    );
  });

  it('are told only to those who have signed them', async () => {
    const host = await protect({ claims_to_verify: ['exp'] });
    const forged = tokenOf({ iss: 'app', exp: 1 }, undefined, hmac('guess'));
    expect(await outcome(host, bearing(forged))).toBe(refused('Invalid signature'));
  });
});

describe('anonymous', () => {
  it('lets those act as a consumer who have no good token', async () => {
    const host = await protect({ anonymous: 'app-owner' });
    for (const options of [{}, bearing('x'), bearing(tokenOf({ iss: 'nobody' }))]) {
      const echo = await proxy.echo(host, '/', options);
      expect(linesOf(echo, 'x-consumer-id')).toEqual([app.consumerId]);
      expect(linesOf(echo, 'x-anonymous-consumer')).toEqual(['true']);
      expect(linesOf(echo, 'x-credential-identifier')).toEqual([]);
    }
    expect(linesOf(await proxy.echo(host, '/', bearing(tokenOf())), 'x-anonymous-consumer')).toEqual([]);
  });

  it('answers 500 where there is no such consumer', async () => {
    const answer = await proxy.send(await protect({ anonymous: randomUUID() }));
    expect([answer.status, answer.json<{ message: string }>().message]).toEqual([
      500,
      'An unexpected error occurred',
    ]);
  });

  it('makes one of several plugins enough, while without it all have to succeed', async () => {
    const any = await proxy.expose();
    const all = await proxy.expose();
    for (const name of ['jwt', 'basic-auth']) {
      const config = { anonymous: app.consumerId };
      await proxy.write('POST', `/routes/${any.routeId}/plugins`, { name, config });
      await proxy.write('POST', `/routes/${all.routeId}/plugins`, { name });
    }
    const { id } = await proxy.write('POST', '/consumers', { username: randomUUID() });
    await proxy.write('POST', `/consumers/${id}/basic-auth`, { username: 'grace', password: 'p' });
    const proxied = { 'Proxy-Authorization': `Basic ${Buffer.from('grace:p').toString('base64')}` };
    expect(linesOf(await proxy.echo(any.host, '/', bearing(tokenOf())), 'x-consumer-id')).toEqual([
      app.consumerId,
    ]);
    expect(linesOf(await proxy.echo(any.host, '/', { headers: proxied }), 'x-consumer-id')).toEqual([id]);
    expect(await outcome(all.host, { headers: proxied })).toBe(MISSING);
    // The last one to succeed says who it is.
    const both = await proxy.echo(all.host, '/', bearing(tokenOf(), proxied));
    expect(linesOf(both, 'x-consumer-id')).toEqual([id]);
    expect(linesOf(both, 'x-credential-identifier')).toEqual(['grace']);
  });
});

it('asks OPTIONS requests for a token unless it shall not', async () => {
  expect(await outcome(await protect(), { method: 'OPTIONS' })).toBe(MISSING);
  expect(
    (await proxy.send(await protect({ run_on_preflight: false }), '/', { method: 'OPTIONS' })).status,
  ).toBe(200);
});

it('follows changes of keys at once, whatever was cached', async () => {
  const host = await protect();
  const iss = `key ${randomUUID()}`;
  const outcomes = async (secret: string) =>
    new Set(
      await Promise.all(
        Array.from({ length: 8 }, () => outcome(host, bearing(tokenOf({ iss }, undefined, hmac(secret))))),
      ),
    );
  const unknown = new Set([refused("No credentials found for given 'iss'")]);
  expect(await outcomes('one')).toEqual(unknown);
  const { consumerId } = await makeKey({ key: iss, secret: 'one' });
  expect(await outcomes('one')).toEqual(new Set([THROUGH]));
  await proxy.write('PATCH', `/consumers/${consumerId}/jwt/${encodeURIComponent(iss)}`, { secret: 'two' });
  expect(await outcomes('one')).toEqual(new Set([refused('Invalid signature')]));
  expect(await outcomes('two')).toEqual(new Set([THROUGH]));
  await proxy.write('PATCH', `/jwts/${encodeURIComponent(iss)}`, { algorithm: 'HS512' });
  expect(await outcomes('two')).toEqual(new Set([refused('Invalid algorithm')]));
  await proxy.write('DELETE', `/consumers/${consumerId}`);
  expect(await outcomes('two')).toEqual(unknown);
});

describe('the configuration', () => {
  const post = (config: unknown) => proxy.admin('POST', '/plugins', { name: 'jwt', config });

  it('shows its defaults, and cannot be attached to a consumer', async () => {
    const { routeId } = await proxy.expose();
    const { config } = await proxy.write('POST', `/routes/${routeId}/plugins`, { name: 'jwt' });
    expect(config).toEqual({
      uri_param_names: ['jwt'],
      cookie_names: [],
      header_names: ['authorization'],
      key_claim_name: 'iss',
      secret_is_base64: false,
      claims_to_verify: null,
      anonymous: null,
      run_on_preflight: true,
      maximum_expiration: 0,
      realm: null,
    });
    const { status, body } = await proxy.admin('POST', `/consumers/${app.consumerId}/plugins`, {
      name: 'jwt',
    });
    expect([status, body.fields]).toEqual([400, { consumer: 'value must be null' }]);
  });

  it.each([
    [{ claims_to_verify: ['exp', 'iat'] }, { claims_to_verify: [null, 'expected one of: exp, nbf'] }],
    [{ maximum_expiration: -1 }, { maximum_expiration: 'value should be between 0 and 31536000' }],
    [{ maximum_expiration: 31536001 }, { maximum_expiration: 'value should be between 0 and 31536000' }],
    [
      { header_names: 'a', key_claim_name: '' },
      {
        header_names: 'expected a set',
        key_claim_name: 'length must be at least 1',
      },
    ],
  ])('refuses %j', async (config, errors) => {
    const { status, body } = await post(config);
    expect([status, body.fields]).toEqual([400, { config: errors }]);
  });

  it.each([['nbf'], null])('needs exp among the claims for a maximum, not %j', async (claims) => {
    const { status, body } = await post({ maximum_expiration: 60, claims_to_verify: claims });
    expect([status, body.fields]).toEqual([
      400,
      {
        '@entity': ["failed conditional validation given value of field 'config.maximum_expiration'"],
        config: { claims_to_verify: 'expected to contain: exp' },
      },
    ]);
  });

  it('logs no token and no secret', () => {
    expect(proxy.gateway.output()).not.toContain(SECRET);
    expect(proxy.gateway.output()).not.toContain(tokenOf());
  });
});
