/** `kong.request`: reads the lines of the call, and through what was recorded for the upstream since. */
import { REQUEST_LINES, RUNS, type UriCaptures } from '../protocol/phase-call.ts';
import type {
  ArgumentValue,
  DecodedBody,
  RequestBodyReader,
  RequestReader,
  UriCaptureReader,
} from '../request.ts';
import { decodeBody } from './body-codec.ts';
import type { CallState } from './call-state.ts';
import { readAllHeaders, readHeader, readHeaderValues } from './header-reader.ts';
import { ipView } from './node-view.ts';
import { callHost } from './outbox.ts';
import { type Argument, collectArguments, parseArguments } from './query-string.ts';
import { textFromBytes } from './text-encoding.ts';

const DEFAULT_MAX_ARGUMENTS = 100;
const MAX_ARGUMENTS = 1000;

export class RequestView implements RequestReader {
  protected readonly call: CallState;
  #arguments: { readonly query: string; readonly parsed: readonly Argument[] } | undefined;

  constructor(call: CallState) {
    this.call = call;
  }

  getScheme(): 'http' | 'https' {
    return this.call.line(REQUEST_LINES.scheme) === 'https' ? 'https' : 'http';
  }

  getHost(): string {
    const host = this.getHeader('host') ?? '';
    return host.replace(/:\d+$/, '').toLowerCase();
  }

  getPort(): number {
    return Number(this.call.line(REQUEST_LINES.localPort));
  }

  getHttpVersion(): '1.0' | '1.1' | '2' {
    return this.call.line(REQUEST_LINES.httpVersion) as '1.0' | '1.1' | '2';
  }

  getMethod(): string {
    return this.call.changes?.method ?? this.call.line(REQUEST_LINES.method);
  }

  getPath(): string {
    return this.call.changes?.path ?? this.call.line(REQUEST_LINES.path);
  }

  getRawPath(): string {
    return this.call.line(REQUEST_LINES.rawPath);
  }

  getPathWithQuery(): string {
    return this.getRawPath() + this.call.line(REQUEST_LINES.rawQuery);
  }

  getRawQuery(): string {
    return this.call.rawQuery;
  }

  getQueryArg(name: string): string | true | undefined {
    return this.#parsedArguments().find(([argument]) => argument === name)?.[1];
  }

  getQuery(max = DEFAULT_MAX_ARGUMENTS): Readonly<Record<string, ArgumentValue>> {
    return collectArguments(this.#parsedArguments().slice(0, Math.min(max, MAX_ARGUMENTS)));
  }

  getHeader(name: string): string | undefined {
    return readHeader(this.call.text, this.call.serviceOperations, name);
  }

  getHeaderValues(name: string): readonly string[] {
    return readHeaderValues(this.call.text, this.call.serviceOperations, name);
  }

  getHeaders(): Readonly<Record<string, readonly string[]>> {
    return readAllHeaders(this.call.text, this.call.serviceOperations);
  }

  getForwardedScheme(): string {
    return this.#forwarded('x-forwarded-proto')?.toLowerCase() ?? this.getScheme();
  }

  getForwardedHost(): string {
    const named = this.#forwarded('x-forwarded-host');
    if (named === undefined) return this.getHost();
    return named
      .slice(named.lastIndexOf('@') + 1)
      .replace(/:\d+$/, '')
      .toLowerCase();
  }

  getForwardedPort(): number {
    const inHost = /:(\d+)$/.exec(this.#forwarded('x-forwarded-host') ?? '')?.[1];
    const port = Number(this.#forwarded('x-forwarded-port') ?? inHost);
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : this.getPort();
  }

  getForwardedPath(): string {
    const path = this.#forwarded('x-forwarded-path');
    return path?.startsWith('/') === true ? path : this.getRawPath();
  }

  getForwardedPrefix(): string | undefined {
    return (
      this.#forwarded('x-forwarded-prefix') ?? (this.call.line(REQUEST_LINES.strippedPrefix) || undefined)
    );
  }

  getStartTime(): number {
    return Number(this.call.line(REQUEST_LINES.receivedAtMs));
  }

  getId(): string {
    return this.call.line(REQUEST_LINES.requestId);
  }

  #forwarded(name: string): string | undefined {
    return ipView.isTrusted(this.call.line(REQUEST_LINES.peerAddress)) ? this.getHeader(name) : undefined;
  }

  #parsedArguments(): readonly Argument[] {
    const query = this.getRawQuery();
    if (this.#arguments?.query !== query)
      this.#arguments = { query, parsed: parseArguments(query, MAX_ARGUMENTS) };
    return this.#arguments.parsed;
  }
}

const NO_CAPTURES: UriCaptures = { unnamed: [], named: {} };

/** Before the service is asked, the body can be read too. */
export class UnsentRequestView extends RequestView implements RequestBodyReader {
  async getRawBody(): Promise<string> {
    return textFromBytes(await this.#bodyBytes());
  }

  async getBody(): Promise<DecodedBody> {
    return decodeBody(await this.#bodyBytes(), this.getHeader('content-type') ?? '');
  }

  async #bodyBytes(): Promise<string> {
    const replaced = this.call.changes?.body;
    if (replaced !== undefined) return replaced;
    this.call.bodyBytes ??= await callHost('request.body', {}, this.call);
    return this.call.bodyBytes;
  }
}

/** A route's pattern may have matched something. */
export class AccessRequestView extends UnsentRequestView implements UriCaptureReader {
  getUriCaptures(): UriCaptures {
    const { name, capabilities } = this.call.instance?.plugin ?? {};
    if (capabilities?.uriCaptures !== true) throw new TypeError(`'${name}' does not declare 'uriCaptures'`);
    const json = this.call.phaseFacts.slice(RUNS.length);
    return json === '' ? NO_CAPTURES : (JSON.parse(json) as UriCaptures);
  }
}
