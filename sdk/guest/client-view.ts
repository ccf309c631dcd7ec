/** `kong.client`: addresses from the call, identity from the call or from what a plugin set in this phase. */
import type { ClientAuthenticator, ClientReader, Consumer, Credential } from '../client.ts';
import { CALL_LINES } from '../protocol/phase-call.ts';
import type { CallState } from './call-state.ts';
import { findEntity } from './entity-reader.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export class ClientView implements ClientReader, ClientAuthenticator {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  getIp(): string {
    return this.#call.line(CALL_LINES.peerAddress);
  }

  getForwardedIp(): string {
    return this.#call.line(CALL_LINES.clientAddress);
  }

  getConsumer(): Consumer | undefined {
    return this.#call.consumer ?? undefined;
  }

  getCredential(): Credential | undefined {
    return this.#call.credential ?? undefined;
  }

  authenticate(consumer: Consumer | null, credential: Credential | null): void {
    if (consumer === null && credential === null)
      throw new TypeError('either a consumer or a credential is needed');
    this.#call.consumer = consumer;
    this.#call.credential = credential;
    this.#call.hasAuthenticated = true;
  }

  async loadConsumer(idOrUsername: string, byUsername = false): Promise<Consumer | undefined> {
    if (UUID.test(idOrUsername)) {
      const byId = await findEntity<Consumer>(this.#call, 'consumers', 'id', idOrUsername.toLowerCase());
      if (byId !== undefined || !byUsername) return byId;
    } else if (!byUsername) {
      throw new TypeError(`'${idOrUsername}' is not an id`);
    }
    return findEntity<Consumer>(this.#call, 'consumers', 'username', idOrUsername);
  }
}
