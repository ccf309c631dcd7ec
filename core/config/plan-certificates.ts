/** The certificates of a snapshot, by the server names they are for, with secrets in the place of references. */
import type { CertificateNames, ServerCertificate } from '../http/certificate-table.ts';
import type { Snapshot } from './snapshot.ts';

/** A text that may be a reference to a secret. Throws where it is one that cannot be read. */
export type ReadText = (text: string) => string;

/** `refuse` hears of certificates whose secrets cannot be read; they are left out. */
export function planCertificates(
  { certificates, snis }: Pick<Snapshot, 'certificates' | 'snis'>,
  read: ReadText,
  refuse: (id: string, error: unknown) => void,
): CertificateNames {
  const byId = new Map<string, ServerCertificate>();
  for (const row of certificates) {
    try {
      // The runtime can show one pair for a server name; the alternative one is kept for when it can show two.
      byId.set(row.id, { id: row.id, cert: read(row.cert), key: read(row.key) });
    } catch (error) {
      refuse(row.id, error);
    }
  }
  const names = new Map<string, ServerCertificate>();
  for (const { name, certificate } of snis) {
    const found = byId.get(certificate.id);
    if (found !== undefined) names.set(name.toLowerCase(), found);
  }
  return names;
}
