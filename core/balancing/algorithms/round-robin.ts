/** Each address as often as its weight says, over every full round, in an order that is worked out beforehand. */
import { takeTurns } from '../turns.ts';
import { type Algorithm, listUsable, type MakeAlgorithm } from './algorithm.ts';

export const makeRoundRobin: MakeAlgorithm = (addresses, { random }): Algorithm => {
  const usable = listUsable(addresses);
  const round = takeTurns(usable.map(({ weight }) => weight)).map((index) => usable[index]!);
  // Workers that start together shall not all begin with the same address.
  let next = Math.floor(random() * round.length);

  const takeNext = () => {
    const address = round[next];
    next = next + 1 < round.length ? next + 1 : 0;
    return address;
  };

  return {
    pick(_hash, tried) {
      const address = takeNext();
      if (tried.length === 0) return address;
      for (let left = round.length; left > 0; left--) {
        const other = left === round.length ? address : takeNext();
        if (other !== undefined && !tried.includes(other)) return other;
      }
      return address;
    },
  };
};
