/** Texts of the configuration that may be references to secrets. */
import { parseSecretReference } from '../../sdk/schema/secret-reference.ts';
import type { ReadSecret } from '../secrets/environment-vault.ts';

/** Throws where it is a reference that cannot be read. */
export type ReadText = (text: string) => string;

export function createTextReader(readSecret: ReadSecret): ReadText {
  return (text) => {
    const reference = parseSecretReference(text);
    return reference === undefined ? text : readSecret(reference);
  };
}
