/**
 * Which certificate a TLS client gets for the server name it asks for. Certificates come and go while connections are
 * open: a handshake takes what is there, and what it has taken stays as it was.
 */
import { createSecureContext, type SecureContext } from 'node:tls';

export interface ServerCertificate {
  readonly id: string;
  /** PEM, with its chain. */
  readonly cert: string;
  readonly key: string;
}

/** Names may begin or end in a wildcard label, or be `*` alone. */
export type CertificateNames = ReadonlyMap<string, ServerCertificate>;

export class CertificateTable {
  private names: CertificateNames = new Map();
  private contexts = new Map<ServerCertificate, SecureContext | undefined>();
  private readonly onUnusable: (id: string, error: unknown) => void;

  /** `onUnusable` hears of certificates that cannot be used, once each; clients get the node's own in their place. */
  constructor(onUnusable: (id: string, error: unknown) => void) {
    this.onUnusable = onUnusable;
  }

  /** Takes the place of everything that was there. */
  replace(names: CertificateNames): void {
    this.names = names;
    this.contexts = new Map();
  }

  /** Source of the order: contract/proxy.md section 7.6. Undefined: nobody has given a certificate for this name. */
  choose(serverName: string): SecureContext | undefined {
    const certificate = this.find(serverName.toLowerCase());
    if (certificate === undefined) return undefined;
    if (!this.contexts.has(certificate)) this.contexts.set(certificate, this.createContext(certificate));
    return this.contexts.get(certificate);
  }

  private find(name: string): ServerCertificate | undefined {
    const { names } = this;
    const firstDot = name.indexOf('.');
    const lastDot = name.lastIndexOf('.');
    return (
      names.get(name) ??
      (firstDot < 0 ? undefined : names.get(`*${name.slice(firstDot)}`)) ??
      (lastDot < 0 ? undefined : names.get(`${name.slice(0, lastDot)}.*`)) ??
      names.get('*')
    );
  }

  private createContext({ id, cert, key }: ServerCertificate): SecureContext | undefined {
    try {
      return createSecureContext({ cert, key });
    } catch (error) {
      this.onUnusable(id, error);
      return undefined;
    }
  }
}
