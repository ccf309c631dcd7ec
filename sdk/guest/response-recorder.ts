/** `kong.response`: records headers for the client and the answer, if a plugin gives one. */
import type { Exit } from '../outcome.ts';
import type { ResponseFacts, ResponseSource } from '../protocol/phase-call.ts';
import type {
  ResponseExit,
  ResponseHeaderReader,
  ResponseHeaders,
  ResponseHeaderWriter,
  ResponseReader,
} from '../response.ts';
import type { CallState } from './call-state.ts';
import { findHeaderValues, groupHeaders } from './header-lines.ts';
import { applyOperations, type HeaderOperation, recordOperation } from './header-operations.ts';
import { checkHeaderName, checkHeaderValue } from './header-text.ts';

const EXIT = Object.freeze({}) as Exit;

export class ResponseRecorder implements ResponseHeaderWriter, ResponseExit {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  setHeader(name: string, value: string | number | boolean): void {
    this.#record('s', name, checkHeaderValue(value));
  }

  addHeader(name: string, value: string | number | boolean): void {
    this.#record('a', name, checkHeaderValue(value));
  }

  clearHeader(name: string): void {
    this.#record('r', name, '');
  }

  setHeaders(headers: Readonly<Record<string, string | number>>): void {
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
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

  #record(operation: HeaderOperation, name: string, value: string): void {
    const { call } = this;
    call.responseOperations = recordOperation(
      call.responseOperations,
      operation,
      checkHeaderName(name),
      value,
    );
  }

  #answer(
    status: number,
    kind: CallState['exitKind'],
    body: string,
    headers: ResponseHeaders | undefined,
  ): Exit {
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (Array.isArray(value)) for (const single of value) this.addHeader(name, String(single));
      else this.setHeader(name, value as string | number);
    }
    this.call.exitStatus = status;
    this.call.exitKind = kind;
    this.call.exitBody = body;
    return EXIT;
  }
}

/** What the log phase sees of the answer. */
export class ResponseView implements ResponseReader {
  readonly #status: number;
  readonly #source: ResponseSource;

  constructor(facts: { readonly status: number; readonly source: ResponseSource }) {
    this.#status = facts.status;
    this.#source = facts.source;
  }

  getStatus(): number {
    return this.#status;
  }

  getSource(): ResponseSource {
    return this.#source;
  }
}

/** The response phase: reads the answer's head and changes it. */
export class ResponseEditor extends ResponseRecorder implements ResponseReader, ResponseHeaderReader {
  readonly #facts: ResponseFacts;
  readonly #headersText: string;

  constructor(call: CallState, facts: ResponseFacts, headersText: string) {
    super(call);
    this.#facts = facts;
    this.#headersText = headersText;
  }

  getStatus(): number {
    return this.call.newStatus || this.#facts.status;
  }

  getSource(): ResponseSource {
    return this.#facts.source;
  }

  setStatus(status: number): void {
    checkStatus(status, 100);
    this.call.newStatus = status;
  }

  getHeader(name: string): string | undefined {
    const lower = name.toLowerCase();
    const original = () => findHeaderValues(this.#headersText, lower);
    return (applyOperations(this.call.responseOperations, lower, original) ?? original())[0];
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    return groupHeaders(this.#headersText);
  }
}

function checkStatus(status: number, least: number): void {
  if (!Number.isInteger(status) || status < least || status > 599) {
    throw new RangeError(`status must be an integer from ${least} to 599, not ${status}`);
  }
}
