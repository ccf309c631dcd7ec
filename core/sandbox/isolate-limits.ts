/** What a guest may use. Every limit is a setting; these are the meanings. */
export interface IsolateLimits {
  /** Heap of one isolate in MiB. V8 may overrun it two- or threefold before it stops the isolate. */
  readonly memoryMb: number;
  /** Wall time in ms of one crossing, however many calls it carries. A backstop against loops. */
  readonly crossingTimeoutMs: number;
  /** Wall time in ms a request may wait for one phase, host calls included. */
  readonly phaseDeadlineMs: number;
  /** Wall time in ms that a batch of a queue or a timer may take, host calls included. Default BACKGROUND_DEADLINE_MS. */
  readonly backgroundDeadlineMs?: number;
  /** Wall time in ms for loading a bundle and for taking in a configuration. */
  readonly loadTimeoutMs: number;
  /** Rows of entities an isolate may cache. */
  readonly cacheEntries: number;
  /** Bytes of a client's body that a plugin may ask for. */
  readonly maxBodyBytes: number;
}

/** Host calls one phase of one request may make before it is refused more. */
export const MAX_HOST_CALLS_PER_PHASE = 100;

/** As long as the longest `kong.fetch`. */
export const BACKGROUND_DEADLINE_MS = 30_000;
