/** Which names are asked for when a short one is looked up: `search` and `ndots` of resolv.conf(5). Pure. */

export interface SearchList {
  readonly domains: readonly string[];
  /** A name with as many dots is first asked for as it is. */
  readonly ndots: number;
}

export function parseSearchList(resolvConf: string): SearchList {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const line of resolvConf.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === 'search' || keyword === 'domain')
      domains = values.map((domain) => domain.replace(/\.$/, ''));
    if (keyword !== 'options') continue;
    for (const option of values) ndots = Number(/^ndots:(\d+)$/.exec(option)?.[1] ?? ndots);
  }
  return { domains: domains.filter((domain) => domain !== ''), ndots };
}

/** In the order they are tried; a name that ends in a dot stands for itself alone. */
export function expandName(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = domains.map((domain) => `${name}.${domain}`);
  const isQualified = name.split('.').length - 1 >= ndots;
  return isQualified ? [name, ...searched] : [...searched, name];
}
