/** What certificates and keys in PEM are, and what is wrong with those that are none. Pure. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { parseSecretReference } from '../../sdk/schema/secret-reference.ts';

/** A value, or in words why there is none. */
export type Read<Value> = { readonly value: Value } | { readonly error: string };

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----/g;

/** The first of a chain. */
export function readCertificate(pem: string): Read<X509Certificate> {
  try {
    return { value: new X509Certificate(pem) };
  } catch (error) {
    return { error: `invalid certificate: ${reasonOf(error)}` };
  }
}

export function readPrivateKey(pem: string): Read<KeyObject> {
  try {
    return { value: createPrivateKey(pem) };
  } catch (error) {
    return { error: `invalid key: ${reasonOf(error)}` };
  }
}

/** Whether a text stands for a secret kept elsewhere, so that nothing can be said of it yet. */
export function isReference(text: unknown): boolean {
  return parseSecretReference(text) !== undefined;
}

export function countCertificates(pem: string): number {
  return pem.match(CERTIFICATE_BLOCK)?.length ?? 0;
}

/** OpenSSL's words, which never hold a part of what was read. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
