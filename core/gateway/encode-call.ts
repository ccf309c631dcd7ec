/** Writes a request as a guest reads it (sdk/protocol/phase-call.ts): one line a fact, then one a header. */
import {
  COLLECTS,
  encodeLogFacts,
  type LogFacts,
  type ResponseFacts,
  RUNS,
  type UriCaptures,
} from '../../sdk/protocol/phase-call.ts';
import { TRACE_MARK } from '../../sdk/protocol/trace.ts';
import type { ClientExchange } from '../http/client-exchange.ts';
import type { RequestTrace } from '../telemetry/tracing/request-trace.ts';

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
): string {
  const first = encodeFirst(facts, plan, JSON.stringify(response));
  return first + encodeState(facts, picks) + encodeRequest(facts);
}

/** `full` is for packages with a plugin that asks for the request itself. */
export function encodeLogCall(
  facts: CallFacts,
  plan: number,
  picks: string,
  log: LogFacts,
  full: boolean,
): string {
  const first = encodeFirst(facts, plan, encodeLogFacts(log));
  if (full) return first + encodeState(facts, picks) + encodeRequest(facts);
  return first + picks + '\n' + facts.consumer + '\n\n\n';
}

function encodeFirst({ generation, trace }: CallFacts, plan: number, phaseFacts: string): string {
  const first = `${generation} ${plan} ${phaseFacts}`;
  return trace === undefined ? first + '\n' : first + TRACE_MARK + trace.encode() + '\n';
}

// Joined by `+`: a template turns each part into text first, even one that is text already.

function encodeState({ consumer, credential, shared }: CallFacts, picks: string): string {
  return picks + '\n' + consumer + '\n' + credential + '\n' + shared + '\n';
}

function encodeRequest({ exchange, path, clientAddress, requestId }: CallFacts): string {
  const { headers, rawQuery } = exchange;
  let text = clientAddress + '\n' + exchange.method + '\n' + exchange.rawPath + '\n';
  text += (rawQuery === undefined ? '' : '?' + rawQuery) + '\n';
  // A decoded path may hold a line feed (`%0A`), which must not start a line of its own here.
  text += (path.includes('\n') ? path.replaceAll('\n', '%0A') : path) + '\n';
  text += exchange.scheme + '\n' + exchange.httpVersion + '\n' + exchange.localPort + '\n';
  text += exchange.peerAddress + '\n' + requestId + '\n' + Math.trunc(exchange.receivedAtMs) + '\n';
  for (let at = 0; at < headers.length; at += 2) text += headers[at] + '\0' + headers[at + 1] + '\n';
  return text;
}
