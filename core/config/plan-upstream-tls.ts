/** What an upstream's certificate is judged by and which one of ours it is shown, as services and upstreams say. */
import type { OriginTlsFacts } from '../upstream/origin-tls.ts';
import type { ReadText } from './plan-certificates.ts';
import type { CertificateRow, ServiceRow, Snapshot } from './snapshot.ts';

export type FindUpstreamTls = (service: ServiceRow) => OriginTlsFacts | undefined;

/** Texts of certificates, and who hears of those that cannot be read. */
export interface CertificateReader {
  readonly read: ReadText;
  readonly onUnreadable: (id: string, error: unknown) => void;
}

const TLS_PROTOCOLS: ReadonlySet<string> = new Set(['https', 'grpcs', 'tls']);

/** The function returned answers undefined where nothing is said beyond whether to verify. */
export function planUpstreamTls(
  snapshot: Snapshot,
  { read, onUnreadable }: CertificateReader,
): FindUpstreamTls {
  const certificates = new Map(snapshot.certificates.map((row) => [row.id, row]));
  const authorities = new Map(snapshot.ca_certificates.map(({ id, cert }) => [id, cert]));
  const upstreams = new Map(snapshot.upstreams.map((row) => [row.name, row]));

  const readClient = (row: CertificateRow | undefined) => {
    if (row === undefined) return undefined;
    try {
      return { cert: read(row.cert), key: read(row.key) };
    } catch (error) {
      onUnreadable(row.id, error);
      return undefined;
    }
  };

  return (service) => {
    if (!TLS_PROTOCOLS.has(service.protocol)) return undefined;
    const { ca_certificates: trustedIds, tls_verify_depth: maxDepth, host } = service;
    const client = service.client_certificate ?? upstreams.get(host)?.client_certificate ?? null;
    if (client === null && trustedIds === null && maxDepth === null) return undefined;
    return {
      trusted: trustedIds?.flatMap((id) => authorities.get(id) ?? []),
      maxDepth: maxDepth ?? undefined,
      client: readClient(client === null ? undefined : certificates.get(client.id)),
    };
  };
}
