/** The write-only `url` of a service, taken apart into the four fields it stands for. */

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const FALLBACK_PORT = 80;
const HTTPS_PORT = 443;

/**
 * Protocol, host, port and path of a URL; query, fragment and userinfo are dropped. A text that is no URL gives no
 * host, so that validation asks for one. Source: contract/admin-api.md section 3.1.
 */
export function expandServiceUrl(url: string): Readonly<Record<string, unknown>> {
  const parts = /^(?:([A-Za-z0-9][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/.exec(url.trim());
  const [, scheme, authority, path] = parts ?? [];
  if (scheme === undefined && authority === undefined) {
    return { protocol: 'http', host: null, port: FALLBACK_PORT, path: null };
  }
  const { host, port } = splitAuthority(authority ?? '');
  const protocol = scheme?.toLowerCase() ?? (port === HTTPS_PORT ? 'https' : 'http');
  return { protocol, host, port: port ?? DEFAULT_PORTS[protocol] ?? FALLBACK_PORT, path: path || null };
}

/** A port that is no number stays a text, for validation to refuse. */
function splitAuthority(authority: string): { host: string | null; port: number | string | undefined } {
  const address = authority.slice(authority.lastIndexOf('@') + 1);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? address;
  return { host: host || null, port: port ? (/^\d+$/.test(port) ? Number(port) : port) : undefined };
}
