/** Counters in the gateway's database, asked of the control process: one message for all calls of a turn. */
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';
import type { CounterTake } from '../counters/cluster-counters.ts';
import type { CountMessage, UsesMessage } from './messages.ts';

/** A little longer than the control process waits for the database, so that its reason is the one that is told. */
const COUNT_TIMEOUT_MS = 1500;

export interface ClusterTaker {
  /** Rejects when the control process cannot tell. */
  take(windows: readonly WindowArgument[], cost: number): Promise<readonly number[]>;
  settle(message: UsesMessage): void;
}

interface Waiting {
  readonly take: CounterTake;
  resolve(uses: readonly number[]): void;
  reject(error: Error): void;
}

interface Asked {
  readonly calls: readonly Waiting[];
  readonly timer: NodeJS.Timeout;
}

export function createClusterTaker(
  ask: (request: Omit<CountMessage, 'kind' | 'worker'>) => void,
): ClusterTaker {
  const asked = new Map<number, Asked>();
  let gathered: Waiting[] = [];
  let lastNumber = 0;

  const fail = (number: number, reason: string) => {
    for (const { reject } of forget(number)) reject(new Error(reason));
  };

  const forget = (number: number): readonly Waiting[] => {
    const known = asked.get(number);
    asked.delete(number);
    clearTimeout(known?.timer);
    return known?.calls ?? [];
  };

  const askAll = () => {
    const calls = gathered;
    gathered = [];
    const number = ++lastNumber;
    const timer = setTimeout(
      () => fail(number, `the database cannot count: no answer within ${COUNT_TIMEOUT_MS} ms`),
      COUNT_TIMEOUT_MS,
    );
    asked.set(number, { calls, timer });
    ask({ number, takes: calls.map(({ take }) => take) });
  };

  return {
    take: (windows, cost) =>
      new Promise((resolve, reject) => {
        if (gathered.length === 0) queueMicrotask(askAll);
        gathered.push({ take: { windows, cost }, resolve, reject });
      }),
    settle(message) {
      if (message.kind === 'count-failed') {
        fail(message.number, message.reason);
        return;
      }
      for (const [at, { resolve }] of forget(message.number).entries()) resolve(message.uses[at] ?? []);
    },
  };
}
