/** Reads what wrk and autocannon print about one run of load. */

export interface LoadReport {
  /** Answers received, failures included. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers outside 2xx and 3xx plus connection errors and timeouts. Anything but 0 makes a run worthless. */
  readonly failures: number;
}

const MILLISECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads the text of `wrk --latency`. Throws when a figure is missing. */
export function parseWrkReport(text: string): LoadReport {
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  return {
    requests: Number(findFigure(text, /(\d+) requests in /)),
    requestsPerSecond: Number(findFigure(text, /Requests\/sec:\s+([\d.]+)/)),
    p50Ms: parseDuration(findFigure(text, /\s50%\s+(\S+)/)),
    p99Ms: parseDuration(findFigure(text, /\s99%\s+(\S+)/)),
    failures: [...(socketErrors ?? []).slice(1), refused?.[1] ?? 0].reduce<number>(
      (sum, count) => sum + Number(count),
      0,
    ),
  };
}

/** Reads the output of `autocannon --json`. Its latencies are whole milliseconds. */
export function parseAutocannonReport(text: string): LoadReport {
  const report: unknown = JSON.parse(text);
  const figure = (...path: string[]): number => {
    const value = path.reduce<unknown>(
      (node, key) => (typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined),
      report,
    );
    if (typeof value !== 'number') throw new Error(`autocannon did not report ${path.join('.')}`);
    return value;
  };
  return {
    requests: figure('requests', 'total'),
    requestsPerSecond: figure('requests', 'average'),
    p50Ms: figure('latency', 'p50'),
    p99Ms: figure('latency', 'p99'),
    failures: figure('errors') + figure('timeouts') + figure('4xx') + figure('5xx'),
  };
}

function findFigure(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`wrk printed something else than expected:\n${text}`);
  return found;
}

function parseDuration(text: string): number {
  const [, amount, unit] = /^([\d.]+)(us|ms|s|m|h)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) throw new Error(`not a duration: '${text}'`);
  return Number(amount) * (MILLISECONDS_PER_UNIT[unit] ?? Number.NaN);
}
