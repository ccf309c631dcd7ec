/** Which branches of some sources have run, and about how often, as the engine itself counts them. */
import { type Profiler, Session } from 'node:inspector';

export class BranchCoverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #sources: string;

  /** `sources`: a part of the paths of the files that count. */
  constructor(sources: string) {
    this.#sources = sources;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Whether something has run since the last call that never had before. */
  hasNew(): boolean {
    return this.#read().some((branch) => !this.#seen.has(branch));
  }

  /** The same, and remembers it. */
  takeNew(): boolean {
    const before = this.#seen.size;
    for (const branch of this.#read()) this.#seen.add(branch);
    return this.#seen.size > before;
  }

  /** Counts start anew with each reading. */
  #read(): string[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    return scripts
      .filter(({ url }) => url.includes(this.#sources))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ ranges }) =>
          ranges
            .filter(({ count }) => count > 0)
            .map(
              ({ startOffset, endOffset, count }) =>
                `${url}:${startOffset}-${endOffset} ${Math.min(8, Math.floor(Math.log2(count)))}`,
            ),
        ),
      );
  }
}
