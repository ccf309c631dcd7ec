/**
 * The certificate a node shows to TLS clients that name no server, or one it knows no certificate for: the operator's, or
 * one it makes for itself when it first needs one and keeps in its data folder.
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type IssuedCertificate, issueCertificate } from './crypto/issue-certificate.ts';
import type { Settings } from './settings/load-settings.ts';

const CERTIFICATE_FILE = 'own-certificate.pem';
const KEY_FILE = 'own-certificate.key';
const VALID_DAYS = 7300;
const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

type Needed = Pick<Settings, 'proxyListen' | 'sslCert' | 'sslCertKey' | 'dataDir'>;

/** Undefined where nothing listens by TLS. Throws an Error for the operator when what is given cannot be used. */
export async function loadOwnCertificate(settings: Needed): Promise<IssuedCertificate | undefined> {
  const { sslCert, sslCertKey } = settings;
  if (!settings.proxyListen.some(({ isSecure }) => isSecure)) return undefined;
  if (sslCert !== undefined && sslCertKey !== undefined) {
    return { cert: sslCert.text, key: sslCertKey.text };
  }
  if (sslCert !== undefined || sslCertKey !== undefined) {
    throw new Error('ssl_cert and ssl_cert_key are of use only together');
  }
  return (await readKept(settings.dataDir)) ?? (await makeOne(settings.dataDir));
}

async function readKept(folder: string): Promise<IssuedCertificate | undefined> {
  try {
    const cert = await readFile(join(folder, CERTIFICATE_FILE), 'utf8');
    const key = await readFile(join(folder, KEY_FILE), 'utf8');
    return new X509Certificate(cert).validToDate.getTime() > Date.now() ? { cert, key } : undefined;
  } catch {
    // Neither there nor readable: either way another one is made.
    return undefined;
  }
}

async function makeOne(folder: string): Promise<IssuedCertificate> {
  const made = await issueCertificate({
    commonName: 'localhost',
    names: ['localhost'],
    validDays: VALID_DAYS,
  });
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  // The key first: a certificate without its key would not be taken for one.
  await replaceFile(join(folder, KEY_FILE), made.key);
  await replaceFile(join(folder, CERTIFICATE_FILE), made.cert);
  return made;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: OWNER_ONLY });
  await rename(temporary, path);
}
