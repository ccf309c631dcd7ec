/** Which origin an answer allows: contract/plugins.md section 10. */

export interface AllowedOrigin {
  /** Value of Access-Control-Allow-Origin; undefined: the header must not be there. */
  readonly value: string | undefined;
  /** Another origin could have got another answer, so caches have to tell them apart. */
  readonly varies: boolean;
}

/** The `Origin` of a request, undefined without one, to what is allowed it. */
export type OriginPolicy = (origin: string | undefined) => AllowedOrigin;

interface Origin {
  /** `scheme://host:port`, without the scheme's own port; any text that is no URL stays what it is. */
  readonly domain: string;
  readonly host: string;
}

type Matcher = (origin: Origin) => boolean;

const ANY = '*';
const PLAIN = /^[A-Za-z0-9.:/-]+$/;
const URL_PARTS =
  /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?(?:[/?#]|$)/;
const OWN_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** `origins` as configured: plain ones, regular expressions and `*`. */
export function compileOrigins(origins: readonly string[]): OriginPolicy {
  const [first] = origins;
  if (first === undefined || (origins.length === 1 && first === ANY))
    return always({ value: ANY, varies: false });
  if (origins.length === 1 && PLAIN.test(first)) return always({ value: first, varies: true });
  const matchers = origins.includes(ANY) ? undefined : origins.map(compileEntry);
  return (requested) => {
    if (requested === undefined) return { value: undefined, varies: true };
    if (matchers === undefined) return { value: ANY, varies: true };
    const origin = parseOrigin(requested);
    return { value: matchers.some((matches) => matches(origin)) ? origin.domain : undefined, varies: true };
  };
}

function always(allowed: AllowedOrigin): OriginPolicy {
  return () => allowed;
}

/** A regular expression has to cover the whole origin, or the whole host when it holds no `:`. */
function compileEntry(entry: string): Matcher {
  if (PLAIN.test(entry)) {
    const { domain } = parseOrigin(entry);
    return (origin) => origin.domain === domain;
  }
  const pattern = new RegExp(`^(?:${entry})$`);
  return entry.includes(':') ? ({ domain }) => pattern.test(domain) : ({ host }) => pattern.test(host);
}

function parseOrigin(text: string): Origin {
  const [, scheme, host, port] = URL_PARTS.exec(text) ?? [];
  if (!host) return { domain: text, host: text };
  const hasOwnPort = port === undefined || port === '' || port === OWN_PORTS[scheme ?? ''];
  const prefix = scheme === undefined ? '' : `${scheme}://`;
  return { domain: prefix + host + (hasOwnPort ? '' : `:${port}`), host };
}
