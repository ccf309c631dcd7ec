/** What an https origin's certificate is judged by, and what it is shown of ours. */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

export interface OriginTlsFacts {
  /** PEM: trusted instead of the runtime's list, even where there are none. Undefined for that list. */
  readonly trusted: readonly string[] | undefined;
  /** How many certificates may stand between an origin's own and a trusted one; undefined for any number. */
  readonly maxDepth: number | undefined;
  /** PEM: shown to origins that ask for one. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
}

export class OriginTls {
  /** The same for the same facts, and tells nothing of them: connections of other facts are never shared. */
  readonly key: string;
  readonly maxDepth: number | undefined;

  private readonly facts: OriginTlsFacts;
  private context: SecureContext | undefined;

  constructor(facts: OriginTlsFacts) {
    this.facts = facts;
    this.maxDepth = facts.maxDepth;
    const { trusted, maxDepth, client } = facts;
    const text = JSON.stringify([trusted, maxDepth, client]);
    this.key = createHash('sha256').update(text).digest('base64url');
  }

  /** Made with the first connection. Throws where a certificate cannot be used. */
  get secureContext(): SecureContext {
    const { trusted, client } = this.facts;
    this.context ??= createSecureContext({
      ...(trusted !== undefined && { ca: [...trusted] }),
      ...client,
    });
    return this.context;
  }
}

/** Whether more certificates stand between the origin's and the trusted one than `maxDepth`. */
export function isChainTooLong(socket: TLSSocket, maxDepth: number): boolean {
  // What was judged in an earlier handshake is not sent again.
  if (socket.isSessionReused()) return false;
  let length = 0;
  let certificate = socket.getPeerCertificate(true);
  while (certificate.raw !== undefined) {
    length++;
    const issuer = certificate.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) break;
    certificate = issuer;
  }
  return length - 2 > maxDepth;
}
