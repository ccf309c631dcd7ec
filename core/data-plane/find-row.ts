/** Rows of the configuration, asked of the control process by message. Single flight is the guest's business. */
import type { FindMessage, ListMessage, Row, RowMessage } from './messages.ts';

/** Longer than this no request waits for the control process. */
const FIND_TIMEOUT_MS = 5000;

/** Both reject when the control process cannot tell. */
export interface RowFinder {
  find(entity: string, field: string, value: string): Promise<Row | null>;
  /** All rows whose reference `field` is to this parent. */
  list(entity: string, field: string, parentId: string): Promise<readonly Row[]>;
  settle(message: RowMessage): void;
}

type Found = Exclude<RowMessage, { kind: 'find-failed' }>;

interface Waiting {
  resolve(message: Found): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

export function createRowFinder(
  send: (request: Omit<FindMessage, 'worker'> | Omit<ListMessage, 'worker'>) => void,
): RowFinder {
  const waiting = new Map<number, Waiting>();
  let lastNumber = 0;

  const ask = <Answer>(
    kind: 'find' | 'list',
    entity: string,
    field: string,
    value: string,
    read: (message: Found) => Answer,
  ): Promise<Answer> => {
    const number = ++lastNumber;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(number);
        reject(new Error(`no answer about ${entity} after ${FIND_TIMEOUT_MS} ms`));
      }, FIND_TIMEOUT_MS);
      waiting.set(number, { resolve: (message) => resolve(read(message)), reject, timer });
      send({ kind, number, entity, field, value });
    });
  };

  return {
    find: (entity, field, value) =>
      ask('find', entity, field, value, (message) => (message.kind === 'found' ? message.row : null)),
    list: (entity, field, parentId) =>
      ask('list', entity, field, parentId, (message) => (message.kind === 'listed' ? message.rows : [])),
    settle(message) {
      const asked = waiting.get(message.number);
      if (asked === undefined) return;
      waiting.delete(message.number);
      clearTimeout(asked.timer);
      if (message.kind === 'find-failed') asked.reject(new Error(message.reason));
      else asked.resolve(message);
    },
  };
}
