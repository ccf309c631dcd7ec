/** `kong.response`: what the client gets. */
import type { Exit } from './outcome.ts';
import type { ResponseSource } from './protocol/phase-call.ts';

/** Headers of an answer: a list is a line for each value. */
export type ResponseHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** Phases: access, response. Set in access, headers survive and are merged over the upstream's. */
export interface ResponseHeaderWriter {
  /** Replaces every header of that name. */
  setHeader(name: string, value: string | number | boolean): void;
  /** Adds a line, and leaves those of that name as they are. */
  addHeader(name: string, value: string | number | boolean): void;
  /** Removes every header of that name. */
  clearHeader(name: string): void;
  /** `setHeader` for each of them. */
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
  /** Of the answer as it stands. */
  getStatus(): number;
  /** `service`: the upstream answered; `exit`: a plugin did; `error`: the gateway failed. */
  getSource(): ResponseSource;
}

/** Phases: response. */
export interface ResponseHeaderReader {
  /** First value, or undefined. Case-insensitive. */
  getHeader(name: string): string | undefined;
  /** Lower-case name → every value. */
  getHeaders(): Readonly<Record<string, readonly string[]>>;
  /** 100…599, else RangeError. */
  setStatus(status: number): void;
}

/** `kong.service.response`. Phases: response. */
export interface ServiceResponseReader {
  /** Undefined when the upstream did not answer. */
  getStatus(): number | undefined;
  /** Needs the capability `responseBody`; undefined otherwise. */
  getRawBody(): string | undefined;
}
