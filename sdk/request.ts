/** `kong.request`: the client's request, read only. Reading costs no crossing; bodies cost one host call. */

import type { UriCaptures } from './protocol/phase-call.ts';

/** A query argument or form field: text, `true` for a name without `=`, or a list when it was repeated. */
export type ArgumentValue = string | true | readonly (string | true)[];

/** Phases: all. Names of headers are case-insensitive, and `_` stands for `-` too. */
export interface RequestReader {
  /** Of the connection the request came by. */
  getScheme(): 'http' | 'https';
  /** Host header without port, lower case; '' without one. */
  getHost(): string;
  /** Local port of the listener. */
  getPort(): number;
  /** What the client speaks. */
  getHttpVersion(): '1.0' | '1.1' | '2';
  /** In capitals, as sent. */
  getMethod(): string;
  /** Normalised path without query. */
  getPath(): string;
  /** As sent, without query. */
  getRawPath(): string;
  /** As sent, with `?` and the query where there is one. */
  getPathWithQuery(): string;
  /** Text after `?`, or ''. */
  getRawQuery(): string;
  /** First value: text, `true` for a name without `=`, undefined when absent. Case-sensitive, decoded. */
  getQueryArg(name: string): string | true | undefined;
  /** All arguments; at most `max` (1…1000, default 100) are read. */
  getQuery(max?: number): Readonly<Record<string, ArgumentValue>>;
  /** First value, or undefined. */
  getHeader(name: string): string | undefined;
  /** Every value in order of arrival; empty when absent. */
  getHeaderValues(name: string): readonly string[];
  /** Lower-case name → every value. */
  getHeaders(): Readonly<Record<string, readonly string[]>>;
  /**
   * `getForwarded…`: of the client's request as the first proxy got it. Where the peer is trusted (`kong.ip`) its
   * `X-Forwarded-Proto`, `-Host`, `-Port` and `-Path` say, otherwise the request itself does.
   */
  getForwardedScheme(): string;
  /** Lower case, without user and port. */
  getForwardedHost(): string;
  /** The port in `X-Forwarded-Host` counts where there is no other. */
  getForwardedPort(): number;
  /** Without query. */
  getForwardedPath(): string;
  /** What the route's `strip_path` takes off the path, or a trusted peer's `X-Forwarded-Prefix`. */
  getForwardedPrefix(): string | undefined;
  /** Milliseconds since the epoch. */
  getStartTime(): number;
  /** 32 hex digits, those of error bodies and of `X-Kong-Request-Id`. */
  getId(): string;
}

/** What the groups of the pattern in the route's path have matched. */
export type { UriCaptures } from './protocol/phase-call.ts';

/** Phases: access. Needs the capability `uriCaptures`: throws a TypeError without. */
export interface UriCaptureReader {
  /** Empty where the path of the route is no pattern or has no groups. */
  getUriCaptures(): UriCaptures;
}

/** What is decoded of a body: its fields and how it was encoded, or no fields when it is of another kind or broken. */
export interface DecodedBody {
  readonly mime: 'application/x-www-form-urlencoded' | 'application/json' | 'multipart/form-data' | undefined;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** Phases: access. Needs the capability `requestBody`. */
export interface RequestBodyReader {
  /** The whole body as text: UTF-8, or latin1 where it is not valid UTF-8. One host call; '' without a body. */
  getRawBody(): Promise<string>;
  /** Form, JSON object (up to 200 deep) or multipart fields. Undecodable content gives no fields, not an error. */
  getBody(): Promise<DecodedBody>;
}
