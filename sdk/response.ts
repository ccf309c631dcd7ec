/** `kong.response`: what the client gets; and `kong.service.response`: what the upstream has sent. */
import type { HeaderMap, HeaderValue } from './header-value.ts';
import type { Exit } from './outcome.ts';
import type { ResponseSource } from './protocol/phase-call.ts';
import type { DecodedBody } from './request.ts';

/** Headers of an answer: a list is a line for each value. */
export type ResponseHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * Phases: rewrite, access, response. Set before the upstream has answered, status and headers survive: the headers are
 * merged over the upstream's, and the status replaces the upstream's, but not that of an error.
 */
export interface ResponseHeaderWriter {
  /** 100…599, else RangeError. */
  setStatus(status: number): void;
  /** Replaces every header of that name: by several for a list, by none for an empty one. */
  setHeader(name: string, value: HeaderValue): void;
  /** Adds a line, or one for each of a list, and leaves those of that name as they are. */
  addHeader(name: string, value: HeaderValue): void;
  /** Removes every header of that name. */
  clearHeader(name: string): void;
  /** `setHeader` for each of them, or for none when one cannot be sent. */
  setHeaders(headers: HeaderMap): void;
}

/** Phases: rewrite, access, response. */
export interface ResponseExit {
  /**
   * Answers: an object becomes compact JSON, text is sent as it is, nothing is an empty body.
   * `status` 100…599, else RangeError. Later plugins' access is skipped; their response and log run.
   */
  exit(status: number, body?: string | Readonly<Record<string, unknown>>, headers?: ResponseHeaders): Exit;
  /** Answers in the form the client accepts, with the request id. `status` 400…599. Default message by status. */
  error(status: number, message?: string, headers?: ResponseHeaders): Exit;
}

/** Phases: response, log. In `log`, headers need `logRecord: 'full'`: TypeError with a summary. */
export interface ResponseReader {
  /** Of the answer as it stands. */
  getStatus(): number;
  /** `service`: the upstream answered; `exit`: a plugin did; `error`: the gateway failed. */
  getSource(): ResponseSource;
  /** First value, or undefined. Case-insensitive, `_` stands for `-` too. */
  getHeader(name: string): string | undefined;
  /** Lower-case name → every value. */
  getHeaders(): Readonly<Record<string, readonly string[]>>;
}

/** Phases: response, log (there with `logRecord: 'full'`). As it came: what plugins change since is not seen here. */
export interface ServiceResponseHead {
  /** Undefined when the upstream did not answer. */
  getStatus(): number | undefined;
  /** First value, or undefined. */
  getHeader(name: string): string | undefined;
  /** Lower-case name → every value. */
  getHeaders(): Readonly<Record<string, readonly string[]>>;
}

/** Phases: response. Needs the capability `responseBody`; undefined otherwise. */
export interface ServiceResponseReader extends ServiceResponseHead {
  /** Text: UTF-8, or latin1 where it is not valid UTF-8. */
  getRawBody(): string | undefined;
  /** Fields of a form, a JSON object or a multipart body; what cannot be decoded gives no fields. */
  getBody(): DecodedBody | undefined;
}
