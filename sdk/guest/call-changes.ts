/** What a plugin changes of the request for the service, as it goes over the wall. */
import type { RequestChanges } from '../protocol/phase-result.ts';
import type { CallState } from './call-state.ts';

export function changesOf(call: CallState): NonNullable<CallState['changes']> {
  call.changes ??= {} satisfies RequestChanges;
  return call.changes;
}

/** The host refuses it as well, but then the whole phase fails. */
export function requireTarget({ instance }: CallState): void {
  if (instance?.plugin.capabilities?.serviceTarget !== true)
    throw new TypeError(`'${instance?.plugin.name}' does not declare 'serviceTarget'`);
}
