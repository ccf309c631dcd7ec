/** Writes a request as a guest reads it (sdk/protocol/phase-call.ts): one line a fact, then one a header. */
import {
  COLLECTS,
  encodeLogFacts,
  type FullLogFacts,
  HEADER_MARKS,
  type LogFacts,
  type ResponseFacts,
  RUNS,
  type UriCaptures,
} from '../../sdk/protocol/phase-call.ts';
import type { RequestChanges } from '../../sdk/protocol/phase-result.ts';
import { TRACE_MARK } from '../../sdk/protocol/trace.ts';
import type { ClientExchange } from '../http/client-exchange.ts';
import type { RequestTrace } from '../telemetry/tracing/request-trace.ts';
import { applyToRequest } from './header-overrides.ts';

/** What a call needs besides the client's exchange. */
export interface CallFacts {
  readonly generation: number;
  readonly exchange: ClientExchange;
  readonly path: string;
  readonly clientAddress: string;
  readonly requestId: string;
  /** JSON or ''. */
  readonly consumer: string;
  readonly credential: string;
  readonly shared: string;
  /** What plugins have made of the request so far. */
  readonly changes?: RequestChanges | undefined;
  readonly serviceTriples?: readonly string[] | null;
  /** What the route takes off the path; '' for nothing. */
  readonly strippedPrefix: string;
  readonly trace?: RequestTrace | undefined;
}

/** `run` false only collects: another package has answered already. `captures` for those who want to know them. */
export function encodeAccessCall(
  facts: CallFacts,
  plan: number,
  run: boolean,
  captures: UriCaptures | null = null,
): string {
  const runs = captures === null ? RUNS : RUNS + JSON.stringify(captures);
  const first = encodeFirst(facts, plan, run ? runs : COLLECTS);
  return first + encodeState(facts, '') + encodeRequest(facts);
}

/** `picks`: the instances of this package that access collected. */
export function encodeResponseCall(
  facts: CallFacts,
  plan: number,
  picks: string,
  response: ResponseFacts,
  serviceHeaders: readonly string[],
): string {
  const first = encodeFirst(facts, plan, JSON.stringify(response));
  const request = encodeState(facts, picks) + encodeRequest(facts);
  return first + request + encodeHeaders(HEADER_MARKS.service, serviceHeaders);
}

/** For plugins that transform a body: that of the answer or, without `response`, the client's. */
export function encodeBodyCall(
  facts: CallFacts,
  plan: number,
  picks: string,
  response: ResponseFacts | undefined,
): string {
  const first = encodeFirst(facts, plan, response === undefined ? '' : JSON.stringify(response));
  return first + encodeState(facts, picks) + encodeRequest(facts);
}

/** For packages content with a summary. */
export function encodeLogCall(facts: CallFacts, plan: number, picks: string, log: LogFacts): string {
  return encodeFirst(facts, plan, encodeLogFacts(log)) + picks + '\n' + facts.consumer + '\n\n\n';
}

/** What packages get with a plugin that asks for the request itself. Headers are flat, in any case. */
export interface FullRecord extends FullLogFacts {
  readonly serviceHeaders: readonly string[];
  readonly clientHeaders: readonly string[];
}

export function encodeFullLogCall(
  facts: CallFacts,
  plan: number,
  picks: string,
  log: LogFacts,
  { upstreamTarget, tries, serviceHeaders, clientHeaders }: FullRecord,
): string {
  const phaseFacts = encodeLogFacts(log) + ',' + JSON.stringify({ upstreamTarget, tries });
  const request = encodeFirst(facts, plan, phaseFacts) + encodeState(facts, picks) + encodeRequest(facts);
  return (
    request +
    encodeHeaders(HEADER_MARKS.service, serviceHeaders) +
    encodeHeaders(HEADER_MARKS.client, clientHeaders)
  );
}

function encodeFirst({ generation, trace }: CallFacts, plan: number, phaseFacts: string): string {
  const first = `${generation} ${plan} ${phaseFacts}`;
  return trace === undefined ? first + '\n' : first + TRACE_MARK + trace.encode() + '\n';
}

// Joined by `+`: a template turns each part into text first, even one that is text already.

function encodeState({ consumer, credential, shared }: CallFacts, picks: string): string {
  return picks + '\n' + consumer + '\n' + credential + '\n' + shared + '\n';
}

function encodeRequest(facts: CallFacts): string {
  const { exchange, clientAddress, requestId, changes, serviceTriples } = facts;
  const { rawQuery } = exchange;
  const { method = exchange.method, path = facts.path, rawQuery: changedQuery } = changes ?? NO_CHANGES;
  let text = clientAddress + '\n' + method + '\n' + exchange.rawPath + '\n';
  text += (rawQuery === undefined ? '' : '?' + rawQuery) + '\n' + escapeLineFeeds(path) + '\n';
  text += exchange.scheme + '\n' + exchange.httpVersion + '\n' + exchange.localPort + '\n';
  text += exchange.peerAddress + '\n' + requestId + '\n' + Math.trunc(exchange.receivedAtMs) + '\n';
  text += escapeLineFeeds(facts.strippedPrefix) + '\n';
  text += (changedQuery === undefined ? '' : '?' + changedQuery) + '\n';
  const headers = serviceTriples ? applyToRequest(exchange.headers, serviceTriples) : exchange.headers;
  for (let at = 0; at < headers.length; at += 2) text += headers[at] + '\0' + headers[at + 1] + '\n';
  return text;
}

const NO_CHANGES: RequestChanges = {};

/** A decoded path may hold a line feed (`%0A`), which must not start a line of its own. */
function escapeLineFeeds(path: string): string {
  return path.includes('\n') ? path.replaceAll('\n', '%0A') : path;
}

/** NUL and line feeds can be in no header of an answer: the parser and the grammar of plugins' operations see to it. */
function encodeHeaders(mark: string, headers: readonly string[]): string {
  let text = '';
  for (let at = 0; at < headers.length; at += 2)
    text += mark + (headers[at] as string).toLowerCase() + '\0' + headers[at + 1] + '\n';
  return text;
}
