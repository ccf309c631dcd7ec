/**
 * The body of a service's answer on its way through the plugins that transform it. Its head goes out with the first bytes that
 * come out, so until then the answer may still become another.
 */
import type { ResponseFacts } from '../../sdk/protocol/phase-call.ts';
import type { LogLine } from '../../sdk/protocol/phase-result.ts';
import { BodyPipe, type PipeEvents, type PipeStage } from './body-pipe.ts';
import { encodeBodyCall } from './encode-call.ts';
import type { RequestFlow } from './request-flow.ts';

/** The answer whose body it is. */
export interface PipedAnswer {
  /** Once, later. False: no plugin has anything to do to it, and the pipe is not needed. */
  onPipeOpened(isWanted: boolean): void;
  /** The head goes out, in chunks, with these bytes. False: nothing more before `resume`. */
  beginPiped(bytes: Uint8Array): boolean;
  /** All of it is out, or nothing has come out at all. */
  endPiped(hasBegun: boolean): void;
  /** Plugins could not go on. */
  fail(handler: string, reason: string, detail: string): void;
}

export class AnswerPipe implements PipeEvents {
  readonly #flow: RequestFlow;
  readonly #answer: PipedAnswer;
  readonly #pipe: BodyPipe;
  #isFlowing = false;

  /** Undefined when there is nobody to transform it. */
  static open(flow: RequestFlow, facts: ResponseFacts, answer: PipedAnswer): AnswerPipe | undefined {
    const { plan, gateway, picks } = flow;
    const stages = plan.lanes.flatMap(({ lane, plan: number, transformsResponse }, at): PipeStage[] => {
      const picked = picks[at] ?? '';
      const through = gateway.lanes[lane];
      if (!transformsResponse || picked === '' || through === undefined) return [];
      return [{ lane: through, call: encodeBodyCall(flow, number, picked, facts) }];
    });
    return stages.length === 0 ? undefined : new AnswerPipe(flow, stages, answer);
  }

  private constructor(flow: RequestFlow, stages: readonly PipeStage[], answer: PipedAnswer) {
    this.#flow = flow;
    this.#answer = answer;
    this.#pipe = new BodyPipe('response', stages, this);
  }

  /** Something of the answer is out. */
  get isFlowing(): boolean {
    return this.#isFlowing;
  }

  feed(chunk: Uint8Array): boolean {
    return this.#pipe.feed(chunk);
  }

  end(): void {
    this.#pipe.end();
  }

  resume(): void {
    this.#pipe.resume();
  }

  abort(): void {
    this.#pipe.abort();
  }

  onPipeOpened(isWanted: boolean): void {
    this.#answer.onPipeOpened(isWanted);
  }

  onPipeBytes(bytes: Uint8Array): boolean {
    if (this.#isFlowing) return this.#flow.exchange.write(bytes);
    this.#isFlowing = true;
    return this.#answer.beginPiped(bytes);
  }

  onPipeEnd(): void {
    this.#answer.endPiped(this.#isFlowing);
  }

  onPipeRoom(): void {
    this.#flow.forwarding?.resume();
  }

  onPipeFailure(reason: string, detail: string): void {
    this.#answer.fail('transformResponse', reason, detail);
  }

  onPhaseLog(lines: readonly LogLine[]): void {
    this.#flow.onPhaseLog(lines);
  }
}
