/** Servers that say which of them has answered, behind an upstream made for them. */
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type ServedPort, serve } from '../support/serve.ts';
import type { ProxyUnderTest } from '../support/start-proxy.ts';

export interface NamedServers {
  readonly servers: readonly ServedPort[];
  /** `127.0.0.1:port` of each. */
  readonly targets: readonly string[];
  stop(): Promise<void>;
}

/** Each answers with its number, unless the test has something else to say. */
export async function startServers(
  count: number,
  listener?: (number: number) => RequestListener,
): Promise<NamedServers> {
  const servers: ServedPort[] = [];
  for (let number = 0; number < count; number++) {
    servers.push(await serve(listener?.(number) ?? ((_request, response) => response.end(String(number)))));
  }
  return {
    servers,
    targets: servers.map(({ port }) => `127.0.0.1:${port}`),
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

export interface ExposedUpstream {
  readonly name: string;
  /** Host of the route to a service on the upstream. */
  readonly host: string;
}

/** An upstream with these targets, and a service and a route that lead to it. */
export async function exposeUpstream(
  proxy: ProxyUnderTest,
  targets: readonly (string | { readonly target: string; readonly weight?: number })[],
  upstream: Readonly<Record<string, unknown>> = {},
  service: Readonly<Record<string, unknown>> = {},
  route: Readonly<Record<string, unknown>> = {},
): Promise<ExposedUpstream> {
  const name = `upstream-${randomUUID().slice(0, 8)}`;
  await proxy.write('POST', '/upstreams', { name, ...upstream });
  for (const target of targets) {
    await proxy.write('POST', `/upstreams/${name}/targets`, typeof target === 'string' ? { target } : target);
  }
  const { host } = await proxy.expose({ host: name, port: 80, ...service }, route);
  return { name, host };
}

/** How often each text was the answer, one request after the other. */
export async function countAnswers(
  requests: number,
  send: (at: number) => Promise<{ readonly text: string }>,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let at = 0; at < requests; at++) {
    const { text } = await send(at);
    counts[text] = (counts[text] ?? 0) + 1;
  }
  return counts;
}
