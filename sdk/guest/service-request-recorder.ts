/** `kong.service.request`: records what to change; the host applies it when the phase is over. */

import type { HeaderMap, HeaderValue } from '../header-value.ts';
import type { ArgumentValue } from '../request.ts';
import type { ServiceRequestWriter } from '../service-request.ts';
import { encodeBody } from './body-codec.ts';
import { changesOf, requireTarget } from './call-changes.ts';
import type { CallState } from './call-state.ts';
import { recordAdd, recordAll, recordRemoval, recordSet } from './header-operations.ts';
import { readHeader } from './header-reader.ts';
import { type Argument, formatArguments, parseArguments } from './query-string.ts';
import { bytesFromText } from './text-encoding.ts';

const METHOD = /^[A-Z]{1,32}$/;
const FORBIDDEN_IN_TARGET = /[\s\0]/;
/** It is sent as it is, one byte a character: anything wider would be cut down, to a line feed for example. */
const FORBIDDEN_IN_QUERY = /[^\x21-\xff]|\x7f/;

export class ServiceRequestRecorder implements ServiceRequestWriter {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  setHeader(name: string, value: HeaderValue): void {
    this.call.serviceOperations = recordSet(this.call.serviceOperations, name, value);
  }

  addHeader(name: string, value: HeaderValue): void {
    this.call.serviceOperations = recordAdd(this.call.serviceOperations, name, value);
  }

  clearHeader(name: string): void {
    this.call.serviceOperations = recordRemoval(this.call.serviceOperations, name);
  }

  setHeaders(headers: HeaderMap): void {
    this.call.serviceOperations = recordAll(this.call.serviceOperations, headers);
  }

  setScheme(scheme: 'http' | 'https'): void {
    if (scheme !== 'http' && scheme !== 'https')
      throw new TypeError(`scheme must be http or https, not '${scheme}'`);
    requireTarget(this.call);
    changesOf(this.call).scheme = scheme;
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
    const rest = parseArguments(this.call.rawQuery, Number.POSITIVE_INFINITY).filter(
      ([argument]) => argument !== name,
    );
    this.setRawQuery(formatArguments(rest));
  }

  setRawBody(body: string): void {
    this.#change('body', bytesFromText(body));
  }

  setBody(fields: Readonly<Record<string, unknown>>, mime: string): void {
    const { text, serviceOperations, changes, bodyBytes } = this.call;
    const contentType = readHeader(text, serviceOperations, 'content-type') ?? '';
    this.#change('body', encodeBody(fields, mime, changes?.body ?? bodyBytes ?? '', contentType));
  }

  #change(member: 'method' | 'path' | 'rawQuery' | 'body', value: string): void {
    changesOf(this.call)[member] = value;
  }
}
