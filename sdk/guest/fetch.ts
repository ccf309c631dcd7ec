/** `kong.fetch`: puts a request into one host call, and its answer into an object that reads like that of `fetch`. */
import type { FetchedResponse, FetchOptions } from '../fetch.ts';
import { DEFAULT_FETCH_TIMEOUT_MS, type FetchReply } from '../protocol/fetch.ts';
import type { CallState } from './call-state.ts';
import { findHeader, groupHeaders, joinHeaders } from './header-lines.ts';
import { callHost } from './outbox.ts';
import { arrayFromBytes, bytesFromArray, bytesFromText, textFromBytes } from './text-encoding.ts';

export async function fetchThroughHost(
  call: CallState,
  url: string,
  options: FetchOptions = {},
): Promise<FetchedResponse> {
  const { body, method = body === undefined ? 'GET' : 'POST', headers = {}, redirect } = options;
  const reply = await callHost(
    'fetch',
    {
      url: String(url),
      method,
      headers: Object.entries(headers).flatMap(([name, values]) =>
        [values].flat().flatMap((value) => [name, value]),
      ),
      body: body === undefined ? null : toLatin1(body),
      timeoutMs: options.timeoutMs ?? DEFAULT_FETCH_TIMEOUT_MS,
      followsRedirects: redirect !== 'manual',
    },
    call,
  );
  return new FetchedAnswer(reply);
}

class FetchedAnswer implements FetchedResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly url: string;
  /** As header-lines.ts reads them. */
  readonly #headers: string;
  readonly #body: string;

  constructor({ status, url, headers, body }: FetchReply) {
    this.status = status;
    this.ok = status >= 200 && status <= 299;
    this.url = url;
    this.#headers = joinHeaders(headers);
    this.#body = body;
  }

  getHeader(name: string): string | undefined {
    return findHeader(this.#headers, name.toLowerCase());
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    return groupHeaders(this.#headers);
  }

  text(): string {
    return textFromBytes(this.#body);
  }

  json(): unknown {
    return JSON.parse(this.text());
  }

  bytes(): Uint8Array {
    return arrayFromBytes(this.#body);
  }
}

function toLatin1(body: string | Uint8Array): string {
  return typeof body === 'string' ? bytesFromText(body) : bytesFromArray(body);
}
