/** TLS of a worker's listeners: the node's own certificate, and those of the configuration as they come and go. */
import { planCertificates } from '../config/plan-certificates.ts';
import type { CertificateReader } from '../config/plan-upstream-tls.ts';
import type { Snapshot } from '../config/snapshot.ts';
import { CertificateTable } from '../http/certificate-table.ts';
import type { IngressTls } from '../http/ingress.ts';
import type { Settings } from '../settings/load-settings.ts';
import type { Boot } from './messages.ts';

type Certificates = Pick<Snapshot, 'certificates' | 'snis'>;

export interface ListenerTls {
  /** Undefined where nothing listens by TLS. */
  readonly options: IngressTls | undefined;
  /** Later handshakes see these certificates; connections stay as they are. */
  configure(snapshot: Certificates): void;
}

export function createListenerTls(
  ownCertificate: Boot['ownCertificate'],
  { sslProtocols, sslCiphers }: Settings,
  { read, onUnreadable }: CertificateReader,
): ListenerTls {
  if (ownCertificate === undefined) return { options: undefined, configure: () => {} };
  const table = new CertificateTable(onUnreadable);
  let served: Certificates | undefined;
  return {
    options: {
      ownCertificate,
      chooseContext: (serverName) => table.choose(serverName),
      minVersion: sslProtocols === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
      ciphers: sslCiphers,
    },
    configure(snapshot) {
      // Lists that have not changed are the same ones.
      const { certificates, snis } = snapshot;
      if (served?.certificates === certificates && served.snis === snis) return;
      served = { certificates, snis };
      table.replace(planCertificates(served, read, onUnreadable));
    },
  };
}
