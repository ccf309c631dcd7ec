/** Random UUIDs, to tell things apart. Not for secrets: an isolate has no source of unguessable numbers. */
import { createHexId } from './guest/random-id.ts';

/** Version 4, in lower case. */
export function createUuid(): string {
  const hex = createHexId(32);
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
