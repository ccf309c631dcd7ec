/** What plugins that authenticate have in common: telling the others, and the service, who is calling. */
import type { Consumer, Credential } from './client.ts';
import type { AccessKong } from './phases.ts';

/**
 * Authenticates the client and sets the headers `X-Consumer-ID`, `X-Consumer-Custom-ID`, `X-Consumer-Username` and
 * `X-Credential-Identifier`, whose value is `identifier`; without a credential `X-Anonymous-Consumer`. Those without a
 * value are removed: the service must not take a client's word for them.
 */
export function identifyClient(
  kong: AccessKong,
  consumer: Consumer,
  credential: Credential | null,
  identifier?: string,
): void {
  kong.client.authenticate(consumer, credential);
  setOrClear(kong, 'X-Consumer-ID', consumer.id);
  setOrClear(kong, 'X-Consumer-Custom-ID', consumer.custom_id);
  setOrClear(kong, 'X-Consumer-Username', consumer.username);
  setOrClear(kong, 'X-Credential-Identifier', identifier);
  setOrClear(kong, 'X-Anonymous-Consumer', credential === null ? 'true' : undefined);
}

/**
 * Lets the client act as the consumer with this id or username, for plugins whose `anonymous` names one. Rejects when
 * there is none.
 */
export async function actAsAnonymous(kong: AccessKong, idOrUsername: string): Promise<void> {
  const consumer = await kong.client.loadConsumer(idOrUsername, true);
  if (consumer === undefined) throw new Error(`anonymous consumer '${idOrUsername}' does not exist`);
  identifyClient(kong, consumer, null);
}

function setOrClear(kong: AccessKong, name: string, value: string | null | undefined): void {
  if (value === null || value === undefined) kong.service.request.clearHeader(name);
  else kong.service.request.setHeader(name, value);
}
