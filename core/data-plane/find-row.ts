/** Rows of the configuration, asked of the control process by message. Single flight is the guest's business. */
import type { FindMessage, Row, RowMessage } from './messages.ts';

/** Longer than this no request waits for the control process. */
const FIND_TIMEOUT_MS = 5000;

export interface RowFinder {
  /** Rejects when the control process cannot tell. */
  find(entity: string, field: string, value: string): Promise<Row | null>;
  settle(message: RowMessage): void;
}

interface Waiting {
  resolve(row: Row | null): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

export function createRowFinder(ask: (request: Omit<FindMessage, 'kind' | 'worker'>) => void): RowFinder {
  const waiting = new Map<number, Waiting>();
  let lastNumber = 0;
  return {
    find(entity, field, value) {
      const number = ++lastNumber;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(number);
          reject(new Error(`no answer about ${entity} after ${FIND_TIMEOUT_MS} ms`));
        }, FIND_TIMEOUT_MS);
        waiting.set(number, { resolve, reject, timer });
        ask({ number, entity, field, value });
      });
    },
    settle(message) {
      const asked = waiting.get(message.number);
      if (asked === undefined) return;
      waiting.delete(message.number);
      clearTimeout(asked.timer);
      if (message.kind === 'found') asked.resolve(message.row);
      else asked.reject(new Error(message.reason));
    },
  };
}
