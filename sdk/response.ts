/** `kong.response`: what the client gets. */
import type { Exit } from './outcome.ts';
import type { ResponseSource } from './protocol/phase-call.ts';

export type ResponseHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** Phases: access, response. Set in access, headers survive and are merged over the upstream's. */
export interface ResponseHeaderWriter {
  setHeader(name: string, value: string | number | boolean): void;
  addHeader(name: string, value: string | number | boolean): void;
  clearHeader(name: string): void;
  setHeaders(headers: Readonly<Record<string, string | number>>): void;
}

/** Phases: access, response. */
export interface ResponseExit {
  /**
   * Answers: an object becomes compact JSON, text is sent as it is, nothing is an empty body.
   * `status` 100…599, else RangeError. Later plugins' access is skipped; their response and log run.
   */
  exit(status: number, body?: string | Readonly<Record<string, unknown>>, headers?: ResponseHeaders): Exit;
  /** Answers in the form the client accepts, with the request id. `status` 400…599. Default message by status. */
  error(status: number, message?: string, headers?: ResponseHeaders): Exit;
}

/** Phases: response, log. */
export interface ResponseReader {
  getStatus(): number;
  /** `service`: the upstream answered; `exit`: a plugin did; `error`: the gateway failed. */
  getSource(): ResponseSource;
}

/** Phases: response. */
export interface ResponseHeaderReader {
  getHeader(name: string): string | undefined;
  /** Lower-case name → every value. */
  getHeaders(): Readonly<Record<string, readonly string[]>>;
  setStatus(status: number): void;
}

/** `kong.service.response`. Phases: response. */
export interface ServiceResponseReader {
  /** Undefined when the upstream did not answer. */
  getStatus(): number | undefined;
  /** Needs the capability `responseBody`; undefined otherwise. */
  getRawBody(): string | undefined;
}
