/** `kong.crypto`: the host computes; only comparing is done here. */
import type { Cryptography, SignedText } from '../crypto.ts';
import type { DigestAlgorithm } from '../protocol/crypto.ts';
import type { CallState } from './call-state.ts';
import { callHost } from './outbox.ts';

export class CryptoView implements Cryptography {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  digest(algorithm: DigestAlgorithm, text: string): Promise<string> {
    return callHost('crypto.digest', { algorithm, text }, this.#call);
  }

  verify({ algorithm, key, keyEncoding = 'utf8', data, signature }: SignedText): Promise<boolean> {
    return callHost('crypto.verify', { algorithm, key, keyEncoding, data, signature }, this.#call);
  }

  isEqual(a: string, b: string): boolean {
    // Every character of `a` is looked at, whatever the length of the other.
    let difference = a.length ^ b.length;
    for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ (b.charCodeAt(at) | 0);
    return difference === 0;
  }
}
