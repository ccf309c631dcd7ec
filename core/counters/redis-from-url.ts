/** A Redis named by one URL, in the words of a plugin's settings. */
import type { RedisSettings } from '../../sdk/protocol/counter-store.ts';

/** `redis://user:password@host:port/database`, or `rediss://` with TLS and a look at the certificate. */
export function redisFromUrl(text: string): RedisSettings {
  const url = new URL(text);
  const isEncrypted = url.protocol === 'rediss:';
  return {
    // An IPv6 address stands in brackets.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? null : Number(url.port),
    username: decodeURIComponent(url.username) || null,
    password: decodeURIComponent(url.password) || null,
    database: Number(url.pathname.slice(1)),
    ssl: isEncrypted,
    ssl_verify: isEncrypted,
  };
}
