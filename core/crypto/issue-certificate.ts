/**
 * Makes certificates: the one a node shows until it is given another, and those of tests. The library that does it is
 * loaded when one is made, which is once in the life of a node.
 */
import { webcrypto } from 'node:crypto';
import type { X509Certificate } from '@peculiar/x509';

export interface CertificateRequest {
  readonly commonName: string;
  /** Host names and addresses; the first is usually the common name. */
  readonly names: readonly string[];
  readonly validDays: number;
  /** It may sign others. Default: it is a server's or a client's. */
  readonly isAuthority?: boolean;
  /** Who signs it; undefined: itself. */
  readonly issuer?: IssuedCertificate;
  /** Default `ec`, on P-256. */
  readonly keyType?: 'ec' | 'rsa';
}

export interface IssuedCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
} as const;
const DAY_MS = 86_400_000;
/** Clocks differ. */
const EARLIER_MS = 3_600_000;
const ADDRESS = /^[\d.]+$|:/;

export async function issueCertificate(request: CertificateRequest): Promise<IssuedCertificate> {
  // Its injection of dependencies is not ours to choose.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(globalThis.crypto);
  const { subtle } = webcrypto;
  const algorithm = request.keyType === 'rsa' ? RSA : EC;
  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const isAuthority = request.isAuthority === true;
  const notBefore = new Date(Date.now() - EARLIER_MS);
  const shared = {
    notBefore,
    notAfter: new Date(notBefore.getTime() + request.validDays * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      new x509.SubjectAlternativeNameExtension(
        request.names.map((value) => ({
          type: ADDRESS.test(value) ? ('ip' as const) : ('dns' as const),
          value,
        })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  };
  const subject = `CN=${request.commonName}`;
  let certificate: X509Certificate;
  if (request.issuer === undefined) {
    certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...shared,
      name: subject,
      keys,
      signingAlgorithm: algorithm,
    });
  } else {
    const issuer = new x509.X509Certificate(request.issuer.cert);
    const signingAlgorithm = issuer.publicKey.algorithm.name === RSA.name ? RSA : EC;
    const der = x509.PemConverter.decodeFirst(request.issuer.key);
    certificate = await x509.X509CertificateGenerator.create({
      ...shared,
      subject,
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey: await subtle.importKey('pkcs8', der, signingAlgorithm, false, ['sign']),
      signingAlgorithm,
    });
  }
  const key = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey));
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}
