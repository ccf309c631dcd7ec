/** `kong.client`: addresses from the call, identity from the call or from what a plugin set in this phase. */
import type {
  ClientAddressReader,
  ClientAuthenticator,
  ClientReader,
  Consumer,
  Credential,
} from '../client.ts';
import { REQUEST_LINES } from '../protocol/phase-call.ts';
import type { CallState } from './call-state.ts';
import { findEntity } from './entity-reader.ts';
import { RequestView } from './request-view.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export class ClientAddressView implements ClientAddressReader {
  protected readonly call: CallState;

  constructor(call: CallState) {
    this.call = call;
  }

  getIp(): string {
    return this.call.line(REQUEST_LINES.peerAddress);
  }

  getForwardedIp(): string {
    return this.call.line(REQUEST_LINES.clientAddress);
  }
}

export class ClientView extends ClientAddressView implements ClientReader {
  getProtocol(allowTerminated = false): string | undefined {
    const { route } = this.call.plan;
    if (route === null) return undefined;
    const protocols = (route['protocols'] ?? []) as readonly string[];
    if (protocols.length === 1) return protocols[0];
    const request = new RequestView(this.call);
    const scheme = allowTerminated ? request.getForwardedScheme() : request.getScheme();
    const isGrpc = protocols.some((protocol) => protocol.startsWith('grpc'));
    return isGrpc ? (scheme === 'https' ? 'grpcs' : 'grpc') : scheme;
  }

  getConsumer(): Consumer | undefined {
    return this.call.consumer ?? undefined;
  }

  getCredential(): Credential | undefined {
    return this.call.credential ?? undefined;
  }
}

export class AccessClientView extends ClientView implements ClientAuthenticator {
  authenticate(consumer: Consumer | null, credential: Credential | null): void {
    // JavaScript may leave one out.
    const known = consumer ?? null;
    const proof = credential ?? null;
    if (known === null && proof === null) throw new TypeError('either a consumer or a credential is needed');
    this.call.consumer = known;
    this.call.credential = proof;
    this.call.hasAuthenticated = true;
  }

  loadConsumer(idOrUsername: string, byUsername = false) {
    if (byUsername) return this.#loadByEither(idOrUsername);
    return findEntity<Consumer>(this.call, 'consumers', 'id', idOrUsername);
  }

  async #loadByEither(idOrUsername: string): Promise<Consumer | undefined> {
    const byId = UUID.test(idOrUsername)
      ? await findEntity<Consumer>(this.call, 'consumers', 'id', idOrUsername.toLowerCase())
      : undefined;
    return byId ?? (await findEntity<Consumer>(this.call, 'consumers', 'username', idOrUsername));
  }
}
