/** `kong.fetch`: asking other servers, through the host and only where the manifest says. */

export interface FetchOptions {
  /** Default `GET`, or `POST` with a body. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Up to 64, of up to 8192 characters each. `Host` and those that frame a message cannot be set. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text is sent as UTF-8. Up to 1 MiB. */
  readonly body?: string | Uint8Array;
  /** For everything, redirects and body included. Default 5000, at most 30000. */
  readonly timeoutMs?: number;
  /** `follow` (default): up to 5 redirects, each to an origin that is listed. `manual`: they are the answer. */
  readonly redirect?: 'follow' | 'manual';
}

/** An answer, its body included. The readers need no `await`, and tolerate one. */
export interface FetchedResponse {
  readonly status: number;
  /** The status is 200…299. */
  readonly ok: boolean;
  /** Where the answer came from in the end. */
  readonly url: string;
  /** First value, or undefined. Case-insensitive. */
  getHeader(name: string): string | undefined;
  /** Lower-case name → every value. */
  getHeaders(): Readonly<Record<string, readonly string[]>>;
  /** UTF-8, or latin1 where it is not valid UTF-8. */
  text(): string;
  /** Throws SyntaxError on what is no JSON. */
  json(): unknown;
  bytes(): Uint8Array;
}

/**
 * Phases: all. Needs the capability `egress`, which lists the origins that may be asked. One host call.
 *
 * Resolves to whatever is answered, errors included. Rejects when the URL is not of a listed origin, when its name
 * stands for a private address that is not listed, when there is no answer in time, when a body is longer than 1 MiB,
 * and when 64 requests of the package are under way in this worker. A handler that is run again (see Limits in the
 * README) asks again: give requests that change something a key that makes them idempotent.
 */
export type Fetch = (url: string, options?: FetchOptions) => Promise<FetchedResponse>;
