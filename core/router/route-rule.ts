/** What the router needs to know of a route. Generic in `Value`: the router does not know what it routes to. */

export interface RouteRule<Value> {
  readonly id: string;
  /** Unix seconds; the older rule wins ties. */
  readonly createdAt: number;
  readonly methods: readonly string[] | null;
  /** `a.b`, `*.b`, `a.*`, each optionally with `:port`. */
  readonly hosts: readonly string[] | null;
  /** `/prefix` or `~/regex`. */
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  readonly snis: readonly string[] | null;
  readonly regexPriority: number;
  readonly value: Value;
}

export interface RouterRequest {
  readonly method: string;
  /** Host header as sent, or undefined. Compared case-insensitively. */
  readonly host: string | undefined;
  /** Port assumed when the Host header has none. */
  readonly defaultPort: number;
  /** Normalised path without query (normalize-path.ts). */
  readonly path: string;
  readonly scheme: 'http' | 'https';
  readonly sni: string | undefined;
  /** Flat, lower-case names. */
  readonly headers: readonly string[];
}

export interface RouteMatch<Value> {
  readonly value: Value;
  /** The text of the path that the rule consumed ('' when the rule has no paths): what strip_path removes. */
  readonly matchedPath: string;
  /** Groups of a regex path, or null. `named` values are also in `unnamed` by position; unnamed[0] is the whole match. */
  readonly captures: {
    readonly unnamed: readonly string[];
    readonly named: Readonly<Record<string, string>>;
  } | null;
}

export interface Router<Value> {
  match(request: RouterRequest): RouteMatch<Value> | null;
}
