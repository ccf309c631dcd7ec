/** Answers as plugins read them: `kong.response` in the log phase, and `kong.service.response`. */
import {
  HEADER_MARKS,
  type LogFacts,
  type ResponseFacts,
  type ResponseSource,
} from '../protocol/phase-call.ts';
import type { DecodedBody } from '../request.ts';
import type { ResponseReader, ServiceResponseHead, ServiceResponseReader } from '../response.ts';
import { decodeBody } from './body-codec.ts';
import type { CallState } from './call-state.ts';
import { joinHeaders } from './header-lines.ts';
import { readAllHeaders, readHeader } from './header-reader.ts';
import { textFromBytes } from './text-encoding.ts';

/** Throws TypeError where the call is a summary: there is no request in it, and no answer either. */
export function requireFullRecord({ instance, phase }: CallState): void {
  const { name, logRecord } = instance?.plugin ?? {};
  if (phase === 'log' && logRecord === 'summary')
    throw new TypeError(`log records of '${name}' are summaries, without the request`);
}

export class LoggedResponseView implements ResponseReader {
  protected readonly call: CallState;
  readonly #facts: LogFacts;

  constructor(call: CallState, facts: LogFacts) {
    this.call = call;
    this.#facts = facts;
  }

  getStatus(): number {
    return this.#facts.status;
  }

  getSource(): ResponseSource {
    return this.#facts.source;
  }

  getHeader(name: string): string | undefined {
    requireFullRecord(this.call);
    return readHeader(this.call.text, '', name, HEADER_MARKS.client);
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    requireFullRecord(this.call);
    return readAllHeaders(this.call.text, '', HEADER_MARKS.client);
  }
}

/** What those that transform its body see of the answer. */
export class AnswerHeadView implements ResponseReader {
  protected readonly call: CallState;
  readonly #facts: ResponseFacts;

  constructor(call: CallState, facts: ResponseFacts) {
    this.call = call;
    this.#facts = facts;
  }

  getStatus(): number {
    return this.#facts.status;
  }

  getSource(): ResponseSource {
    return this.#facts.source;
  }

  getHeader(name: string): string | undefined {
    return readHeader(joinHeaders(this.#facts.headers), '', name);
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    return readAllHeaders(joinHeaders(this.#facts.headers), '');
  }
}

/** `status` undefined: the upstream did not answer. */
export class ServiceResponseHeadView implements ServiceResponseHead {
  protected readonly call: CallState;
  readonly #status: number | undefined;

  constructor(call: CallState, status: number | undefined) {
    this.call = call;
    this.#status = status;
  }

  getStatus(): number | undefined {
    return this.#status;
  }

  getHeader(name: string): string | undefined {
    requireFullRecord(this.call);
    return readHeader(this.call.text, '', name, HEADER_MARKS.service);
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    requireFullRecord(this.call);
    return readAllHeaders(this.call.text, '', HEADER_MARKS.service);
  }
}

export class ServiceResponseView extends ServiceResponseHeadView implements ServiceResponseReader {
  readonly #body: string | undefined;

  constructor(call: CallState, { upstreamStatus, body }: ResponseFacts) {
    super(call, upstreamStatus || undefined);
    this.#body = body;
  }

  getRawBody(): string | undefined {
    return this.#body === undefined ? undefined : textFromBytes(this.#body);
  }

  getBody(): DecodedBody | undefined {
    return this.#body === undefined
      ? undefined
      : decodeBody(this.#body, this.getHeader('content-type') ?? '');
  }
}
