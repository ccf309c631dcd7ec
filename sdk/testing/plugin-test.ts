/** The words of `kong-pdk/plugin_test`, over the kit: for tests that come along with a plugin that is ported. */
import type { Configuration, ServiceRequest } from './kit.ts';
import { loadPlugin } from './load-plugin.ts';

/** A request to be tested with. Each call changes it and gives it back. */
export class Request {
  url = 'http://konghq.com';
  method = 'GET';
  headers: Readonly<Record<string, string | readonly string[]>> = {};
  body: string | Uint8Array | undefined;

  /** Default: `http://konghq.com`. */
  useURL(url: string): this {
    this.url = url;
    return this;
  }

  /** Default: `GET`. */
  useMethod(method: string): this {
    this.method = method;
    return this;
  }

  useHeaders(headers: Readonly<Record<string, string | readonly string[]>>): this {
    this.headers = headers;
    return this;
  }

  useBody(body: string | Uint8Array): this {
    this.body = body;
    return this;
  }
}

/** An answer as tests of the kit look at it. */
export interface TestedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A request as the service has got it. */
export interface TestedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Takes one request through all phases of a plugin, whose service answers 200 and `OK` with the headers it has got. Other
 * than there the phases are the real ones, in their order, and the plugin is named by its module.
 */
export class PluginTest {
  /** What the client gets. */
  response: TestedAnswer = { status: 0, headers: new Headers(), body: '' };
  /** What the service has got; undefined where the plugin has answered. */
  serviceRequest: TestedRequest | undefined;
  /** What the service has answered; undefined where it was not asked. */
  serviceResponse: TestedAnswer | undefined;

  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  /** Rejects with ConfigurationError, or with PluginFailure where a phase has thrown. */
  async Run(module: URL, config: Configuration = {}): Promise<void> {
    const { url, method, headers, body } = this.#request;
    const { protocol, host, pathname, search } = new URL(url);
    const kit = await loadPlugin(module);
    const request = {
      method,
      path: pathname + search,
      scheme: protocol === 'https:' ? ('https' as const) : ('http' as const),
      headers: { host, ...headers },
      ...(body !== undefined && { body }),
    };
    try {
      const { response } = await kit.request(request, config, (asked) => this.#serve(asked));
      this.response = response;
    } finally {
      kit.close();
    }
  }

  #serve({ method, path, query, headers, body, scheme, target }: ServiceRequest) {
    const place = target === undefined ? headers.get('host') : `${target.host}:${target.port}`;
    const url = `${scheme ?? 'http'}://${place}${path}${query === '' ? '' : `?${query}`}`;
    this.serviceRequest = { url, method, headers, body };
    this.serviceResponse = { status: 200, headers: new Headers(headers), body: 'OK' };
    return { status: 200, headers: Object.fromEntries(headers), body: 'OK' };
  }
}
