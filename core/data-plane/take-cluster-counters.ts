/** Counters in the gateway's database, asked of the control process: one message for all calls of a turn. */
import type { WindowArgument } from '../../sdk/protocol/host-call.ts';
import type { CounterTake } from '../counters/cluster-counters.ts';
import { startDeadline } from '../counters/start-deadline.ts';
import type { CountMessage, UsesMessage } from './messages.ts';

/** A little longer than the control process waits for the database, so that its reason is the one that is told. */
const COUNT_TIMEOUT_MS = 3500;

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
  readonly stopWaiting: () => void;
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
    known?.stopWaiting();
    return known?.calls ?? [];
  };

  const askAll = () => {
    const calls = gathered;
    gathered = [];
    const number = ++lastNumber;
    const stopWaiting = startDeadline(COUNT_TIMEOUT_MS, () =>
      fail(number, `the database cannot count: no answer within ${COUNT_TIMEOUT_MS} ms`),
    );
    asked.set(number, { calls, stopWaiting });
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
