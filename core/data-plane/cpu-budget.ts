/** How much of a CPU a package uses from one look to the next, against what it may. */

export class CpuBudget {
  #lookedAtMs = 0;
  #cpuSeconds = 0;

  /**
   * Whether it has used more than `msPerSecond` since the last look. `cpuSeconds`: since the package was loaded; the
   * first look only takes note of it, since loading costs what it costs.
   */
  isExceeded(cpuSeconds: number, nowMs: number, msPerSecond: number): boolean {
    const elapsedSeconds = (nowMs - this.#lookedAtMs) / 1000;
    const usedMs = (cpuSeconds - this.#cpuSeconds) * 1000;
    const isFirst = this.#lookedAtMs === 0;
    this.#lookedAtMs = nowMs;
    this.#cpuSeconds = cpuSeconds;
    return !isFirst && usedMs > msPerSecond * elapsedSeconds;
  }
}
