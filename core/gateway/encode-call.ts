/** Writes a request as a guest reads it (sdk/protocol/phase-call.ts): one line a fact, then one a header. */
import { encodeLogFacts, type LogFacts, type ResponseFacts } from '../../sdk/protocol/phase-call.ts';
import type { ClientExchange } from '../http/client-exchange.ts';

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
}

/** `run` false only collects: another package has answered already. */
export function encodeAccessCall(facts: CallFacts, plan: number, run: boolean): string {
  return encodeLines(facts, plan, '', run ? 'run' : 'collect') + encodeHeaders(facts.exchange.headers);
}

/** `picks`: the instances of this package that access collected. */
export function encodeResponseCall(
  facts: CallFacts,
  plan: number,
  picks: string,
  response: ResponseFacts,
): string {
  return encodeLines(facts, plan, picks, JSON.stringify(response)) + encodeHeaders(facts.exchange.headers);
}

export function encodeLogCall(
  facts: CallFacts,
  plan: number,
  picks: string,
  log: LogFacts,
  withHeaders: boolean,
): string {
  const lines = encodeLines(facts, plan, picks, encodeLogFacts(log));
  return withHeaders ? lines + encodeHeaders(facts.exchange.headers) : lines;
}

function encodeLines(facts: CallFacts, plan: number, picks: string, phaseFacts: string): string {
  const { exchange } = facts;
  const query = exchange.rawQuery === undefined ? '' : `?${exchange.rawQuery}`;
  // A decoded path may hold a line feed (`%0A`), which must not start a line of its own here.
  const path = facts.path.includes('\n') ? facts.path.replaceAll('\n', '%0A') : facts.path;
  const state = `${picks}\n${facts.consumer}\n${facts.credential}\n${facts.shared}`;
  const request = `${facts.clientAddress}\n${exchange.method}\n${exchange.rawPath}\n${query}\n${path}\n${exchange.scheme}\n${exchange.httpVersion}\n${exchange.localPort}\n${exchange.peerAddress}\n${facts.requestId}\n${exchange.receivedAtMs}`;
  return `${facts.generation} ${plan} ${phaseFacts}\n${state}\n${request}\n`;
}

function encodeHeaders(headers: readonly string[]): string {
  let text = '';
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}\0${headers[at + 1]}\n`;
  return text;
}
