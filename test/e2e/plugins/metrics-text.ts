/** Reading the Prometheus text format as a scraper does. */

export interface Metrics {
  readonly text: string;
  /** Families in order of appearance. */
  readonly families: readonly { readonly name: string; readonly type: string; readonly help: string }[];
  /** Sample lines as written, by the text before the value. */
  readonly samples: ReadonlyMap<string, number>;
  /** Value of a sample that must be there. */
  value(sample: string): number;
  /** Sample lines of one name, without their values. */
  named(name: string): readonly string[];
}

/** Throws on a line that is neither a comment nor a sample, and on a sample that is there twice. */
export function parseMetrics(text: string): Metrics {
  const families: { name: string; type: string; help: string }[] = [];
  const samples = new Map<string, number>();
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    const sample = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line);
    if (help !== null) families.push({ name: help[1] ?? '', help: help[2] ?? '', type: '' });
    else if (type !== null && families.at(-1)?.name === type[1])
      Object.assign(families.at(-1) ?? {}, { type: type[2] });
    else if (sample !== null && !samples.has(sample[1] ?? ''))
      samples.set(sample[1] ?? '', Number(sample[2]));
    else throw new Error(`not a line of metrics: ${line}`);
  }
  return {
    text,
    families,
    samples,
    value(sample) {
      const value = samples.get(sample);
      if (value === undefined) throw new Error(`there is no sample ${sample} in\n${text}`);
      return value;
    },
    named: (name) => [...samples.keys()].filter((sample) => sample === name || sample.startsWith(`${name}{`)),
  };
}

export async function scrape(baseUrl: string): Promise<Metrics> {
  const response = await fetch(`${baseUrl}/metrics`);
  if (response.status !== 200) throw new Error(`metrics were answered with ${response.status}`);
  return parseMetrics(await response.text());
}
