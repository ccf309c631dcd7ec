/** `kong.log`: lines in the gateway's log, with the plugin's name and the request id. Bounded per phase. */

/** Phases: all. Parts become text as `String` makes it, and are joined without a gap. */
export interface Logger {
  /** Shown where the node logs at `debug`. */
  debug(...parts: readonly unknown[]): void;
  /** Of interest when looking for something. */
  info(...parts: readonly unknown[]): void;
  /** Worth knowing; shown by default. */
  notice(...parts: readonly unknown[]): void;
  /** Something is odd, and works. */
  warn(...parts: readonly unknown[]): void;
  /** Something has failed. */
  err(...parts: readonly unknown[]): void;
  /** Something has failed that others rely on. */
  crit(...parts: readonly unknown[]): void;
  /** Somebody has to act at once. */
  alert(...parts: readonly unknown[]): void;
  /** Nothing works any more. */
  emerg(...parts: readonly unknown[]): void;
  /** Warns of something that will go away, once for each text in a worker. */
  deprecation(message: string, options?: DeprecationOptions): void;
  /** Shows values in full, objects as JSON, at the level `debug`. */
  inspect(...values: readonly unknown[]): void;
  /**
   * Adds plain data to the record that `kong.log.serialize()` makes of this request, in whichever plugin. Dots in `key`
   * lead into objects. `add`: only where there is nothing; `replace`: only where there is something. Up to 100 a request.
   * TypeError on what is no plain data.
   */
  setSerializeValue(key: string, value: unknown, options?: SerializeValueOptions): void;
}

/** What to say of it. */
export interface DeprecationOptions {
  /** Version since which it is deprecated. */
  readonly after?: string;
  /** Version that will be without it. */
  readonly removal?: string;
}

/** What to do where there is a value, or none; `set`, the default, does not care. */
export interface SerializeValueOptions {
  readonly mode?: 'set' | 'add' | 'replace';
}

/** Phases: log. */
export interface RecordSerializer {
  /**
   * The finished request as Kong's logging plugins write it, with what `setSerializeValue` has added. Plain data.
   * Values of `authorization` and `proxy-authorization` are `REDACTED`. Throws a TypeError when the plugin's `logRecord`
   * is `summary`.
   */
  serialize(): SerializedRecord;
}

/** A finished request. Sizes in bytes, latencies in ms. */
export interface SerializedRecord {
  readonly request: {
    readonly id: string;
    /** Path and query. */
    readonly uri: string;
    readonly url: string;
    readonly querystring: Readonly<Record<string, unknown>>;
    readonly method: string;
    /** A list where a header came more than once. */
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly size: number;
  };
  readonly upstream_uri: string;
  readonly upstream_status: string;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly size: number;
  };
  /** `proxy` is -1 where no upstream was asked. */
  readonly latencies: { readonly kong: number; readonly proxy: number; readonly request: number };
  readonly tries: readonly { readonly ip: string; readonly port: number; readonly state?: string }[];
  readonly authenticated_entity?: { readonly id: string; readonly consumer_id?: string };
  readonly route?: Readonly<Record<string, unknown>>;
  readonly service?: Readonly<Record<string, unknown>>;
  readonly consumer?: Readonly<Record<string, unknown>>;
  readonly client_ip: string;
  /** Milliseconds since the epoch. */
  readonly started_at: number;
  readonly source: 'upstream' | 'kong';
  readonly [added: string]: unknown;
}
