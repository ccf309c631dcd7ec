/** The order in which weighted things take turns. Pure. */

/** Longer rounds are cut down to this, which keeps proportions to within a tenth of a percent or so. */
const MAX_ROUND = 4096;

/**
 * Indexes of one round: each as often as its weight says, spread as evenly as can be (smooth weighted round-robin).
 * Weights of 0 take no turn.
 */
export function takeTurns(weights: readonly number[]): readonly number[] {
  const shares = reduceWeights(weights);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const credit = shares.map(() => 0);
  const round: number[] = [];
  while (round.length < total) {
    let richest = -1;
    for (const [index, share] of shares.entries()) {
      credit[index]! += share;
      if (share > 0 && (richest < 0 || credit[index]! > credit[richest]!)) richest = index;
    }
    credit[richest]! -= total;
    round.push(richest);
  }
  return round;
}

function reduceWeights(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  if (divisor === 0) return weights;
  const total = weights.reduce((sum, weight) => sum + weight, 0) / divisor;
  if (total <= Math.max(MAX_ROUND, weights.length)) return weights.map((weight) => weight / divisor);
  const scale = MAX_ROUND / (total * divisor);
  return weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round(weight * scale))));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
