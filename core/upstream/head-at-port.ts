/** The Host header of a request whose port an SRV record has decided. Pure. */
import type { UpstreamOrigin } from './forward-request.ts';

type Place = Pick<UpstreamOrigin, 'protocol' | 'host' | 'port'>;

const HOST = '\r\nHost: ';

/** A Host that is not the origin's own was chosen by somebody, and stays. */
export function headAtPort(head: string, origin: Place, port: number): string {
  const start = head.indexOf(HOST) + HOST.length;
  const end = head.indexOf('\r\n', start);
  if (head.slice(start, end) !== hostOf(origin, origin.port)) return head;
  return head.slice(0, start) + hostOf(origin, port) + head.slice(end);
}

function hostOf({ protocol, host }: Place, port: number): string {
  return port === (protocol === 'https' ? 443 : 80) ? host : `${host}:${port}`;
}
