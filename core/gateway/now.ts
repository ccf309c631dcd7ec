/** Unix time in ms with fractions, from the monotonic clock: differences are never negative. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
