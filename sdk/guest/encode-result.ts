/** The outcome of a phase as the lines of protocol/phase-result.ts. */
import type { GuestError } from '../protocol/phase-result.ts';
import type { CallState } from './call-state.ts';

export function encodeResult(call: CallState, failure: GuestError | undefined): string {
  const identity = call.hasAuthenticated ? `${jsonOf(call.consumer)}\n${jsonOf(call.credential)}` : '\n';
  const shared = call.encodeShared();
  const changes = call.changes === undefined ? '' : JSON.stringify(call.changes);
  const status = call.exitStatus || call.newStatus;
  const text = `${call.collected}\n${identity}\n${shared}\n${changes}\n${call.serviceOperations}\n${call.responseOperations}\n${status}\n${call.exitKind}`;
  const body = failure === undefined ? call.exitBody : JSON.stringify(failure);
  return body === '' ? text : `${text}\n${body}`;
}

/** Rows come from the cache, the same objects for many requests. */
const knownJson = new WeakMap<object, string>();

function jsonOf(row: object | null): string {
  if (row === null) return 'null';
  let json = knownJson.get(row);
  if (json === undefined) {
    json = JSON.stringify(row);
    knownJson.set(row, json);
  }
  return json;
}
