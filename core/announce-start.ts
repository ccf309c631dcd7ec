/** What an operator sees when the node is up: where it listens, what it keeps its data in, what to try first. */
import type { Settings } from './settings/load-settings.ts';

export function announceStart(settings: Settings, version: string): void {
  const database =
    settings.database === 'embedded'
      ? `embedded, in ${settings.dataDir} (set DATABASE_URL to use a Postgres server)`
      : 'postgres';
  const [proxy] = settings.proxyListen;
  const [admin] = settings.adminListen;
  const lines = [
    `Tollgate ${version}`,
    `  proxy      ${settings.proxyListen.map(urlOf).join(', ') || 'off'}  (${settings.workers} workers)`,
    `  admin      ${settings.adminListen.map(urlOf).join(', ') || 'off'}`,
    `  status     ${settings.statusListen.map(urlOf).join(', ') || 'off'}  (/metrics, /status)`,
    `  database   ${database}`,
  ];
  if (proxy !== undefined && admin !== undefined) {
    lines.push('', 'Try:', `  curl ${urlOf(admin)}/services -d name=example -d url=http://127.0.0.1:9000`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A wildcard address is reachable as loopback from here. */
function urlOf({ address, port, isSecure }: Settings['proxyListen'][number]): string {
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  return `${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
