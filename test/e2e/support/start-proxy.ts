/** A gateway with an upstream behind it, configured through its Admin API as a client would. */
import { randomUUID } from 'node:crypto';
import { type Gateway, startGateway } from '../../support/start-gateway.ts';
import { type EchoedRequest, startUpstream, type Upstream } from '../../support/start-upstream.ts';
import { type RequestOptions, type SentAnswer, sendRequest } from './send-request.ts';

type Attributes = Readonly<Record<string, unknown>>;

export interface AdminAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there
  readonly body: any;
}

/** A service and a route to it. */
export interface Exposed {
  /** The route's host, made up for it unless the route has `hosts` of its own. */
  readonly host: string;
  readonly serviceId: string;
  readonly routeId: string;
}

export interface ProxyUnderTest {
  readonly gateway: Gateway;
  readonly upstream: Upstream;
  readonly port: number;
  /** Sends `body` as JSON. Does not judge the answer. */
  admin(method: string, path: string, body?: unknown): Promise<AdminAnswer>;
  /** As `admin`, but throws unless the answer is 2xx, and resolves to its body. */
  write(method: string, path: string, body?: unknown): Promise<AdminAnswer['body']>;
  /** Makes a service (by default to the upstream) and a route (by default on a host of its own). */
  expose(service?: Attributes, route?: Attributes): Promise<Exposed>;
  send(host: string, path?: string, options?: RequestOptions): Promise<SentAnswer>;
  /** As `send`; resolves to what the upstream has received. Throws unless it answered with its echo. */
  echo(host: string, path?: string, options?: RequestOptions): Promise<EchoedRequest>;
  stop(): Promise<void>;
}

export async function startProxy(
  env: Readonly<Record<string, string>> = {},
  listeners: readonly string[] = [],
): Promise<ProxyUnderTest> {
  const upstream = await startUpstream();
  const gateway = await startGateway({ env, listeners }).catch(async (error: unknown) => {
    await upstream.stop();
    throw error;
  });
  return proxyOf(gateway, upstream);
}

/** The same for a gateway that a test has started itself. */
export function proxyOf(gateway: Gateway, upstream: Upstream): ProxyUnderTest {
  const port = gateway.proxyPort;
  const admin = async (method: string, path: string, body?: unknown): Promise<AdminAnswer> => {
    const response = await fetch(gateway.adminUrl + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const write = async (method: string, path: string, body?: unknown) => {
    const answer = await admin(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} was answered with ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  };
  const send = (host: string, path = '/', options: RequestOptions = {}) =>
    sendRequest(port, { ...options, path, headers: { Host: host, ...options.headers } });
  return {
    gateway,
    upstream,
    port,
    admin,
    write,
    send,
    async expose(service = {}, route = {}) {
      const host = `${randomUUID().slice(0, 8)}.test`;
      const to = { host: upstream.host, port: upstream.port, ...service };
      const { id: serviceId } = await write('POST', '/services', to);
      const made = await write('POST', `/services/${serviceId}/routes`, { hosts: [host], ...route });
      return { host: made.hosts?.[0] ?? host, serviceId, routeId: made.id };
    },
    async echo(host, path, options) {
      const answer = await send(host, path, options);
      if (answer.status !== 200) throw new Error(`answered with ${answer.status} ${answer.text}`);
      return answer.json<EchoedRequest>();
    },
    async stop() {
      await Promise.all([gateway.stop(), upstream.stop()]);
    },
  };
}

/** Values of all lines of a header in what the upstream received; names compared without case. */
export function linesOf(echo: EchoedRequest, name: string): readonly string[] {
  return echo.headers
    .filter(([known]) => known.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}
