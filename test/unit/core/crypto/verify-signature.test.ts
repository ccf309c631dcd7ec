/** Every algorithm with a key of its own and with keys of others. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySignature } from '../../../../core/crypto/verify-signature.ts';
import type { SignatureAlgorithm } from '../../../../sdk/protocol/crypto.ts';

const DATA = 'header.claims';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = {
  rsa,
  p256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
};
type KeyName = keyof typeof keys;

const SIGNERS: readonly [SignatureAlgorithm, KeyName, string | undefined, object][] = [
  ['RS256', 'rsa', 'sha256', {}],
  ['RS384', 'rsa', 'sha384', {}],
  ['RS512', 'rsa', 'sha512', {}],
  ['PS256', 'rsa', 'sha256', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
  ['PS384', 'rsa', 'sha384', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }],
  ['PS512', 'rsa', 'sha512', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }],
  ['ES256', 'p256', 'sha256', { dsaEncoding: 'ieee-p1363' }],
  ['ES384', 'p384', 'sha384', { dsaEncoding: 'ieee-p1363' }],
  ['ES512', 'p521', 'sha512', { dsaEncoding: 'ieee-p1363' }],
  ['EdDSA', 'ed25519', undefined, {}],
  ['EdDSA', 'ed448', undefined, {}],
];

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;

const check = async (algorithm: SignatureAlgorithm, key: string, signature: string, data = DATA) =>
  verifySignature({ algorithm, key, keyEncoding: 'utf8', data, signature });

describe.each(SIGNERS)('%s with a key of %s', (algorithm, name, hash, options) => {
  const { privateKey, publicKey } = keys[name];
  const bytes = sign(hash, Buffer.from(DATA), { key: privateKey, ...options });
  const signature = bytes.toString('base64url');

  it('knows its own signature, in either alphabet', async () => {
    expect(await check(algorithm, pemOf(publicKey), signature)).toBe(true);
    expect(await check(algorithm, pemOf(publicKey), bytes.toString('base64'))).toBe(true);
  });

  it('refuses other data, other signatures and what is none', async () => {
    const pem = pemOf(publicKey);
    expect(await check(algorithm, pem, signature, `${DATA}x`)).toBe(false);
    const changed = Buffer.from(bytes);
    changed[3] = (changed[3] ?? 0) ^ 1;
    const others = [
      changed.toString('base64url'),
      '',
      'A',
      signature.slice(8),
      `${signature}AAAA`,
      '%%%%',
      'A'.repeat(5000),
    ];
    for (const other of others) expect(await check(algorithm, pem, other)).toBe(false);
    expect(await check(algorithm, pem, Buffer.alloc(bytes.length).toString('base64url'))).toBe(false);
  });

  it('takes no key that is made for another algorithm, and nothing that is no key', async () => {
    const fits = SIGNERS.filter(([other]) => other === algorithm).map(([, key]) => key);
    for (const [other, pair] of Object.entries(keys)) {
      if (!fits.includes(other as KeyName)) {
        expect(await check(algorithm, pemOf(pair.publicKey), signature)).toBe(false);
      }
    }
    for (const none of ['', 'secret', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----']) {
      expect(await check(algorithm, none, signature)).toBe(false);
    }
  });
});

it('takes no signature of ECDSA in the encoding of certificates', async () => {
  const der = sign('sha256', Buffer.from(DATA), keys.p256.privateKey).toString('base64url');
  expect(await check('ES256', pemOf(keys.p256.publicKey), der)).toBe(false);
});

describe.each([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
] as const)('%s', (algorithm, hash) => {
  const signatureBy = (key: string | Buffer) => createHmac(hash, key).update(DATA).digest('base64url');

  it('knows its own signature and no other', async () => {
    expect(await check(algorithm, 'sëcret', signatureBy('sëcret'))).toBe(true);
    for (const other of [signatureBy('other'), signatureBy('sëcret').slice(0, 20), '', '!']) {
      expect(await check(algorithm, 'sëcret', other)).toBe(false);
    }
  });

  it('takes a secret of any bytes in base64', async () => {
    const bytes = Buffer.from([0, 255, 254, 62, 63]);
    for (const encoding of ['base64', 'base64url'] as const) {
      const key = bytes.toString(encoding);
      const signed = { algorithm, key, data: DATA, signature: signatureBy(bytes) };
      expect(await verifySignature({ ...signed, keyEncoding: 'base64' })).toBe(true);
      expect(await verifySignature({ ...signed, keyEncoding: 'utf8' })).toBe(false);
    }
  });
});
