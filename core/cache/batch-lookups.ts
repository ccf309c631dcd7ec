/**
 * Turns lookups of single values into few questions for many: what is asked for while the answers are under way goes
 * into the next question. So a flood of unknown values takes neither the connections of others nor a query each.
 */

export interface BatchLimits {
  /** Values in one question. */
  readonly maxValues: number;
  /** Questions under way at a time. */
  readonly maxQuestions: number;
}

interface Waiting<Row> {
  readonly value: string;
  resolve(row: Row | undefined): void;
  reject(error: unknown): void;
}

/** `ask` answers with what it has found, by value. A lookup rejects with what the question it is part of rejects. */
export function batchLookups<Row>(
  ask: (values: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
  { maxValues, maxQuestions }: BatchLimits,
): (value: string) => Promise<Row | undefined> {
  let waiting: Waiting<Row>[] = [];
  let underWay = 0;

  const askNext = async (): Promise<void> => {
    const asked = waiting.slice(0, maxValues);
    waiting = waiting.slice(maxValues);
    underWay++;
    try {
      const found = await ask([...new Set(asked.map(({ value }) => value))]);
      for (const { value, resolve } of asked) resolve(found.get(value));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
    underWay--;
    if (waiting.length > 0) void askNext();
  };

  return (value) =>
    new Promise((resolve, reject) => {
      waiting.push({ value, resolve, reject });
      if (underWay < maxQuestions) void askNext();
    });
}
