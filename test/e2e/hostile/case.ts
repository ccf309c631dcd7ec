/** Bytes that somebody hostile or broken sends, and what may come of them. */

export type IngressKind = 'default' | 'strict';

export interface HostileCase {
  readonly title: string;
  /** Each part is a packet of its own; one character a byte. */
  readonly bytes: string | readonly string[];
  /** Of the refusal. Default: any of `REFUSALS`. */
  readonly status?: readonly number[];
  /**
   * Ingresses that may serve it: as one request with a framing of our own, behind which nothing is read. What a library
   * does not show cannot be refused.
   */
  readonly served?: readonly IngressKind[];
  /** Ingresses whose library waits for more of what it takes for an unfinished head, until the time for heads is over. */
  readonly late?: readonly IngressKind[];
}

export const HOST = 'hostile.test';

export const REFUSALS: readonly number[] = [400, 404, 405, 408, 411, 413, 414, 417, 426, 431, 501, 505];

/** What would be a second request if what comes before it were not refused. */
export const SMUGGLED = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

/** A request line and header lines, with a Host unless they bring one. */
export function head(line: string, ...headers: readonly string[]): string {
  return `${[line, `Host: ${HOST}`, ...headers].join('\r\n')}\r\n\r\n`;
}

/** A POST with the given header lines and body. */
export function post(headers: string | readonly string[], body = ''): string {
  return head('POST / HTTP/1.1', ...(typeof headers === 'string' ? [headers] : headers)) + body;
}

/** A POST in chunks with these bytes behind its head. */
export function chunked(bytes: string): string {
  return post('Transfer-Encoding: chunked', bytes);
}
