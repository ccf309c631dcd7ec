/**
 * Each address as often as its weight says, over every full round of the node, in an order that is worked out beforehand
 * and is the same in all workers.
 */
import { takeTurns } from '../turns.ts';
import { type Algorithm, listUsable, type MakeAlgorithm } from './algorithm.ts';

export const makeRoundRobin: MakeAlgorithm = (addresses, { nextTurn }): Algorithm => {
  const usable = listUsable(addresses);
  const round = takeTurns(usable.map(({ weight }) => weight)).map((index) => usable[index]!);

  return {
    pick(_hash, tried) {
      if (round.length === 0) return undefined;
      const turn = nextTurn() % round.length;
      if (tried.length === 0) return round[turn];
      for (let step = 0; step < round.length; step++) {
        const address = round[(turn + step) % round.length]!;
        if (!tried.includes(address)) return address;
      }
      return round[turn];
    },
  };
};
