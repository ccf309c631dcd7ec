/** Short words for calls to an Admin API that does not listen: HTTP in, HTTP out, through Fastify's inject. */
import type { FastifyInstance } from 'fastify';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The JSON body; empty when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** `body.id`. */
  readonly id: string;
  /** `body.data` of a list. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

export interface AdminCaller {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, json?: unknown): Promise<Answer>;
  put(path: string, json?: unknown): Promise<Answer>;
  patch(path: string, json?: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** A urlencoded body. */
  form(method: Method, path: string, body: string): Promise<Answer>;
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
}

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export function createCaller(app: FastifyInstance): AdminCaller {
  const call = async (method: Method, path: string, options: CallOptions = {}): Promise<Answer> => {
    const response = await app.inject({
      method,
      url: path,
      headers: options.headers ?? {},
      ...(options.body === undefined ? {} : { payload: options.body }),
    });
    const isJson =
      response.payload !== '' && String(response.headers['content-type']).startsWith('application/json');
    const body = isJson ? (JSON.parse(response.payload) as Record<string, unknown>) : {};
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.payload,
      body,
      id: String(body['id']),
      data: (body['data'] ?? []) as Record<string, unknown>[],
    };
  };
  const withJson = (method: Method) => (path: string, json?: unknown) =>
    json === undefined
      ? call(method, path)
      : call(method, path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) });
  return {
    call,
    get: (path, headers = {}) => call('GET', path, { headers }),
    post: withJson('POST'),
    put: withJson('PUT'),
    patch: withJson('PATCH'),
    delete: (path) => call('DELETE', path),
    form: (method, path, body) =>
      call(method, path, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }),
  };
}
