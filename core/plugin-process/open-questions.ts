/** What a process has been asked and has not answered: each question is settled once, with an answer or without. */
export class OpenQuestions<Answer> {
  readonly #open = new Map<number, (answer: Answer | undefined) => void>();
  #lastNumber = 0;

  /** `send` puts the question under its number; `settle` hears undefined when nobody answers in time. */
  ask(timeoutMs: number, send: (number: number) => void, settle: (answer: Answer | undefined) => void): void {
    const number = ++this.#lastNumber;
    const timer = setTimeout(() => this.answer(number, undefined), timeoutMs);
    this.#open.set(number, (answer) => {
      clearTimeout(timer);
      settle(answer);
    });
    send(number);
  }

  answer(number: number, answer: Answer | undefined): void {
    const settle = this.#open.get(number);
    this.#open.delete(number);
    settle?.(answer);
  }

  /** Nobody is left to answer. */
  giveUp(): void {
    for (const number of [...this.#open.keys()]) this.answer(number, undefined);
  }
}
