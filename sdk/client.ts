/** `kong.client`: who is calling. */

export interface Consumer {
  readonly id: string;
  readonly username: string | null;
  readonly custom_id: string | null;
  readonly tags?: readonly string[] | null;
}

/** What authenticated the client. Any entity with an id, and usually the consumer it belongs to. */
export interface Credential {
  readonly id: string;
  readonly consumer?: { readonly id: string } | null;
}

/** Phases: all. */
export interface ClientAddressReader {
  /** Address of the TCP peer. */
  getIp(): string;
  /** Address after trusted proxies have been looked through. */
  getForwardedIp(): string;
}

/** Phases: access, response, log. */
export interface ClientReader extends ClientAddressReader {
  /**
   * The protocol of the route where it has but one, else the client's. With `allowTerminated` a trusted peer's
   * `X-Forwarded-Proto` says whether the client uses TLS. Undefined where nothing matched.
   */
  getProtocol(allowTerminated?: boolean): string | undefined;
  /** Whom an earlier plugin has authenticated; undefined while nobody has. */
  getConsumer(): Consumer | undefined;
  /** What the client was authenticated by; undefined for the anonymous consumer. */
  getCredential(): Credential | undefined;
}

/** Phases: access. */
export interface ClientAuthenticator {
  /** Replaces what an earlier plugin set. Either may be null, not both (TypeError). */
  authenticate(consumer: Consumer | null, credential: Credential | null): void;
  /**
   * By id, or by id or username when `byUsername`. Undefined when there is none. Await it: a cached consumer comes
   * at once, another after one host call.
   */
  loadConsumer(
    idOrUsername: string,
    byUsername?: boolean,
  ): Consumer | undefined | Promise<Consumer | undefined>;
}
