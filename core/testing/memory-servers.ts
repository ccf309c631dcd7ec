/** The servers of a test: they answer without a network, within the rules of egress. */
import type { FetchArgument, FetchReply } from '../../sdk/protocol/fetch.ts';
import type { FetchedRequest, TestAnswer, TestServers } from '../../sdk/testing/kit.ts';
import { compileEgress } from '../egress/egress-rules.ts';
import { flattenHeaders, toHeaders, toPieces } from './test-call.ts';

type Respond = (request: FetchedRequest) => TestAnswer;

export class MemoryServers implements TestServers {
  readonly requests: FetchedRequest[] = [];
  readonly #answers = new Map<string, Respond>();

  answer(url: string, answer: TestAnswer | Respond): void {
    this.#answers.set(withoutQuery(new URL(url)), typeof answer === 'function' ? answer : () => answer);
  }

  /** Rejects on URLs that `egress` does not list and on those that nobody answers for. Redirects are not followed. */
  async fetch(argument: FetchArgument, egress: readonly string[]): Promise<FetchReply> {
    const url = new URL(argument.url);
    compileEgress(egress).check(url);
    const body = Buffer.from(argument.body ?? '', 'latin1').toString('utf8');
    const request = { method: argument.method, url: url.href, headers: toHeaders(argument.headers), body };
    this.requests.push(request);
    const respond = this.#answers.get(withoutQuery(url));
    if (respond === undefined) throw new Error(`the test has no answer for ${withoutQuery(url)}`);
    const answer = respond(request);
    const headers = flattenHeaders(answer.headers ?? {});
    return {
      status: answer.status ?? 200,
      url: url.href,
      headers: headers.map((part, at) => (at % 2 === 0 ? part.toLowerCase() : part)),
      body: Buffer.concat(toPieces(answer.body)).toString('latin1'),
    };
  }
}

function withoutQuery({ origin, pathname }: URL): string {
  return origin + pathname;
}
