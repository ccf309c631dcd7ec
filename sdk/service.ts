/** `kong.service`: where the request goes, and how long it may take. Recorded here, applied when the phase ends. */

/** Phases: rewrite, access. */
export interface ServiceTargetWriter {
  /**
   * Sends the request to this host (a name or an address) and port (0…65535) instead of the service's; the Host header
   * follows. Needs the capability `serviceTarget`. TypeError on what is no host, RangeError on a port out of range.
   */
  setTarget(host: string, port: number): void;
  /**
   * Sends the request to the targets of this upstream instead of the service's. Undefined when it will be; otherwise why
   * not: `could not find an Upstream named 'x'`. Needs the capability `serviceTarget`.
   */
  setUpstream(name: string): string | undefined;
  /** Attempts after the first: 0…32767, else RangeError. */
  setRetries(retries: number): void;
  /** For connecting, writing and reading, in ms: 1…2147483646, else RangeError. */
  setTimeouts(connectMs: number, writeMs: number, readMs: number): void;
}
