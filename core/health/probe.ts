/** Asks one address how it is: a connection, a handshake, or a request and the status of its answer. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AddressFacts } from '../balancing/address.ts';
import type { ProbeRules } from './check-rules.ts';

/** A number is the status of an answer. */
export type ProbeOutcome = number | 'connected' | 'refused' | 'timeout';

/** Settles within the time the rules give, and never rejects. */
export function probe(
  rules: ProbeRules,
  address: Pick<AddressFacts, 'host' | 'ip' | 'port'>,
): Promise<ProbeOutcome> {
  return rules.type === 'http' || rules.type === 'https'
    ? probeHttp(rules, address)
    : probeSocket(rules, address);
}

function probeSocket(
  { type, timeoutMs, serverName, verifiesCertificate }: ProbeRules,
  { host, ip, port }: Pick<AddressFacts, 'host' | 'ip' | 'port'>,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const isTls = type === 'grpcs';
    const socket: Socket = isTls
      ? connectTls({
          host: ip,
          port,
          ...serverNameOf(serverName ?? host),
          rejectUnauthorized: verifiesCertificate,
          ALPNProtocols: ['h2'],
        })
      : connectTcp({ host: ip, port });
    const timer = setTimeout(() => settle('timeout'), timeoutMs);
    const settle = (outcome: ProbeOutcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.once(isTls ? 'secureConnect' : 'connect', () => settle('connected'));
    socket.on('error', () => settle('refused'));
    socket.once('close', () => settle('refused'));
  });
}

function probeHttp(
  rules: ProbeRules,
  { host, ip, port }: Pick<AddressFacts, 'host' | 'ip' | 'port'>,
): Promise<ProbeOutcome> {
  const { type, timeoutMs, path, serverName, verifiesCertificate, headers, hostHeader } = rules;
  const isTls = type === 'https';
  const isDefaultPort = port === (isTls ? 443 : 80);
  const name = hostHeader ?? (host.includes(':') ? `[${host}]` : host);
  return new Promise((resolve) => {
    const sent = (isTls ? requestHttps : requestHttp)({
      host: ip,
      port,
      path,
      agent: false,
      headers: {
        ...headers,
        Host: isDefaultPort || hostHeader !== null ? name : `${name}:${port}`,
        Connection: 'close',
      },
      ...(isTls && {
        rejectUnauthorized: verifiesCertificate,
        ...serverNameOf(serverName ?? hostHeader ?? host),
      }),
    });
    const timer = setTimeout(() => settle('timeout'), timeoutMs);
    const settle = (outcome: ProbeOutcome) => {
      clearTimeout(timer);
      sent.destroy();
      resolve(outcome);
    };
    sent.once('response', ({ statusCode }) => settle(statusCode ?? 'refused'));
    sent.on('error', () => settle('refused'));
    sent.end();
  });
}

/** Addresses are no names that a server could have a certificate chosen by. */
function serverNameOf(host: string): { readonly servername?: string } {
  const bare = host.replace(/:\d+$/, '');
  return /^[\d.]+$|:/.test(bare) ? {} : { servername: bare };
}
