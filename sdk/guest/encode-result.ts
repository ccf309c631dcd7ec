/** The outcome of a phase as the lines of protocol/phase-result.ts. */
import type { GuestError } from '../protocol/phase-result.ts';
import type { CallState } from './call-state.ts';

export function encodeResult(call: CallState, failure: GuestError | undefined): string {
  const { serviceTriples, responseTriples } = call;
  const identity = call.hasAuthenticated ? `${jsonOf(call.consumer)}\n${jsonOf(call.credential)}` : '\n';
  const shared = call.shared === undefined ? '' : JSON.stringify(call.shared);
  const changes = call.changes === undefined ? '' : JSON.stringify(call.changes);
  const status = call.exitStatus || call.newStatus;
  let text = `${call.picks.join(',')}\n${identity}\n${shared}\n${changes}\n${serviceTriples.length}\n${responseTriples.length}\n${status}\n${call.exitKind}`;
  if (serviceTriples.length > 0) text += `\n${serviceTriples.join('\n')}`;
  if (responseTriples.length > 0) text += `\n${responseTriples.join('\n')}`;
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
