/** `kong.response` before the answer is out: records headers and status for the client, and the answer of a plugin. */
import type { HeaderMap, HeaderValue } from '../header-value.ts';
import type { Exit } from '../outcome.ts';
import type { ResponseFacts, ResponseSource } from '../protocol/phase-call.ts';
import type { ResponseExit, ResponseHeaders, ResponseHeaderWriter, ResponseReader } from '../response.ts';
import type { CallState } from './call-state.ts';
import { joinHeaders } from './header-lines.ts';
import { recordAdd, recordAll, recordRemoval, recordSet } from './header-operations.ts';
import { readAllHeaders, readHeader } from './header-reader.ts';

const EXIT = Object.freeze({}) as Exit;

export class ResponseRecorder implements ResponseHeaderWriter, ResponseExit {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  setStatus(status: number): void {
    checkStatus(status, 100);
    this.call.newStatus = status;
  }

  setHeader(name: string, value: HeaderValue): void {
    this.call.responseOperations = recordSet(this.call.responseOperations, name, value);
  }

  addHeader(name: string, value: HeaderValue): void {
    this.call.responseOperations = recordAdd(this.call.responseOperations, name, value);
  }

  clearHeader(name: string): void {
    this.call.responseOperations = recordRemoval(this.call.responseOperations, name);
  }

  setHeaders(headers: HeaderMap): void {
    this.call.responseOperations = recordAll(this.call.responseOperations, headers);
  }

  exit(status: number, body?: string | Readonly<Record<string, unknown>>, headers?: ResponseHeaders): Exit {
    checkStatus(status, 100);
    if (this.call.hasExited) return EXIT;
    if (typeof body === 'object' && body !== null)
      return this.#answer(status, 'json', JSON.stringify(body), headers);
    return body === undefined
      ? this.#answer(status, '', '', headers)
      : this.#answer(status, 'text', String(body), headers);
  }

  error(status: number, message?: string, headers?: ResponseHeaders): Exit {
    checkStatus(status, 400);
    if (this.call.hasExited) return EXIT;
    // The host knows the usual message of each status.
    return this.#answer(status, 'error', message ?? '', headers);
  }

  #answer(
    status: number,
    kind: CallState['exitKind'],
    body: string,
    headers: ResponseHeaders | undefined,
  ): Exit {
    if (headers !== undefined) this.#recordExitHeaders(headers);
    this.call.exitStatus = status;
    this.call.exitKind = kind;
    this.call.exitBody = body;
    return EXIT;
  }

  #recordExitHeaders(headers: ResponseHeaders): void {
    for (const [name, value] of Object.entries(headers)) {
      if (Array.isArray(value)) this.addHeader(name, value.map(String));
      else this.setHeader(name, value as string | number);
    }
  }
}

/** The response phase: reads the answer's head and changes it. */
export class ResponseEditor extends ResponseRecorder implements ResponseReader {
  readonly #facts: ResponseFacts;
  #headersText: string | undefined;

  constructor(call: CallState, facts: ResponseFacts) {
    super(call);
    this.#facts = facts;
  }

  getStatus(): number {
    return this.call.newStatus || this.#facts.status;
  }

  getSource(): ResponseSource {
    return this.#facts.source;
  }

  getHeader(name: string): string | undefined {
    return readHeader(this.#headers, this.call.responseOperations, name);
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    return readAllHeaders(this.#headers, this.call.responseOperations);
  }

  get #headers(): string {
    this.#headersText ??= joinHeaders(this.#facts.headers);
    return this.#headersText;
  }
}

function checkStatus(status: number, least: number): void {
  if (!Number.isInteger(status) || status < least || status > 599) {
    throw new RangeError(`status must be an integer from ${least} to 599, not ${status}`);
  }
}
