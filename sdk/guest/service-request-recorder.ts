/** `kong.service.request`: records what to change; the host applies it when the phase is over. */

import { REQUEST_LINES } from '../protocol/phase-call.ts';
import type { ArgumentValue } from '../request.ts';
import type { ServiceRequestWriter } from '../service-request.ts';
import { encodeBody } from './body-codec.ts';
import type { CallState } from './call-state.ts';
import { findHeaderValues } from './header-lines.ts';
import { applyOperations, type HeaderOperation, recordOperation } from './header-operations.ts';
import { checkHeaderName, checkHeaderValue } from './header-text.ts';
import { type Argument, formatArguments, parseArguments } from './query-string.ts';
import { bytesFromText } from './text-encoding.ts';

const METHOD = /^[A-Z]{1,32}$/;
const FORBIDDEN_IN_TARGET = /[\s\0]/;
/** It is sent as it is, one byte a character: anything wider would be cut down, to a line feed for example. */
const FORBIDDEN_IN_QUERY = /[^\x21-\xff]|\x7f/;

export class ServiceRequestRecorder implements ServiceRequestWriter {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
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

  setHeaders(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
  }

  setMethod(method: string): void {
    if (!METHOD.test(method)) throw new TypeError(`invalid method '${method}'`);
    this.#change('method', method);
  }

  setPath(path: string): void {
    if (!path.startsWith('/') || FORBIDDEN_IN_TARGET.test(path))
      throw new TypeError(`invalid path '${path}'`);
    this.#change('path', path);
  }

  setRawQuery(query: string): void {
    if (FORBIDDEN_IN_QUERY.test(query))
      throw new TypeError(
        'a query cannot contain white space, control characters or anything beyond one byte',
      );
    this.#change('rawQuery', query);
  }

  setQuery(query: Readonly<Record<string, ArgumentValue>>): void {
    const names = Object.keys(query).sort();
    const listed = names.flatMap((name) => {
      const value = query[name] as ArgumentValue;
      const values = typeof value === 'string' || value === true ? [value] : value;
      return values.map((each): Argument => [name, each]);
    });
    this.setRawQuery(formatArguments(listed));
  }

  clearQueryArg(name: string): void {
    const query = this.#call.changes?.rawQuery ?? this.#call.line(REQUEST_LINES.rawQuery).slice(1);
    const rest = parseArguments(query, Number.POSITIVE_INFINITY).filter(([argument]) => argument !== name);
    this.setRawQuery(formatArguments(rest));
  }

  setRawBody(body: string): void {
    this.#change('body', bytesFromText(body));
  }

  setBody(fields: Readonly<Record<string, unknown>>, mime: string): void {
    const { text, serviceOperations, changes, bodyBytes } = this.#call;
    const sent = () => findHeaderValues(text, 'content-type');
    const [contentType = ''] = applyOperations(serviceOperations, 'content-type', sent) ?? sent();
    this.#change('body', encodeBody(fields, mime, changes?.body ?? bodyBytes ?? '', contentType));
  }

  #record(operation: HeaderOperation, name: string, value: string): void {
    const call = this.#call;
    call.serviceOperations = recordOperation(call.serviceOperations, operation, checkHeaderName(name), value);
  }

  #change(member: 'method' | 'path' | 'rawQuery' | 'body', value: string): void {
    this.#call.changes ??= {};
    this.#call.changes[member] = value;
  }
}
