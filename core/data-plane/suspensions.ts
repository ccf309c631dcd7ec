/** Versions of packages that have ended the data plane, and do not run for a while. */
import type { ActivePackage } from './active-package.ts';

/** Where it is plain who it was, once is enough; where several were running, whoever is there again. */
const MAX_DOUBTS = 1;

export class Suspensions {
  readonly #suspended = new Set<string>();
  readonly #doubts = new Map<string, number>();

  /** `blamed` are beginnings of digests. Returns the packages that are suspended for it. */
  blame(blamed: readonly string[], packages: readonly ActivePackage[]): readonly ActivePackage[] {
    const found = packages.filter((each) => blamed.some((start) => isOf(each, start)));
    const guilty = found.filter(({ current: { digest } }) => {
      const doubts = (this.#doubts.get(digest) ?? 0) + 1;
      this.#doubts.set(digest, doubts);
      return found.length === 1 || doubts > MAX_DOUBTS;
    });
    for (const { current } of guilty) {
      this.#suspended.add(current.digest);
      this.#doubts.delete(current.digest);
    }
    return guilty;
  }

  lift({ current }: ActivePackage): void {
    this.#suspended.delete(current.digest);
  }

  mark(packages: readonly ActivePackage[]): readonly ActivePackage[] {
    return packages.map((each) => ({ ...each, isSuspended: this.#suspended.has(each.current.digest) }));
  }
}

function isOf({ current, previous }: ActivePackage, start: string): boolean {
  return current.digest.startsWith(start) || previous?.digest.startsWith(start) === true;
}
