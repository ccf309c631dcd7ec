/** Digests of short texts. */
import { createHash } from 'node:crypto';
import type { DigestArgument } from '../../sdk/protocol/crypto.ts';

/** Lower-case hexadecimal. */
export function digest({ algorithm, text }: DigestArgument): string {
  return createHash(algorithm).update(text, 'utf8').digest('hex');
}
