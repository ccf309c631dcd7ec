/** Texts of the configuration that may be references to secrets. */
import { parseSecretReference } from '../../sdk/schema/secret-reference.ts';
import type { ReadText } from '../config/plan-certificates.ts';
import type { ReadSecret } from '../secrets/environment-vault.ts';

/** The returned function throws where it is a reference that cannot be read. */
export function createTextReader(readSecret: ReadSecret): ReadText {
  return (text) => {
    const reference = parseSecretReference(text);
    return reference === undefined ? text : readSecret(reference);
  };
}
