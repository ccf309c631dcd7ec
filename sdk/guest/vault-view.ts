/** `kong.vault`: what needs no host. */
import { parseSecretReference } from '../schema/secret-reference.ts';
import type { VaultReader } from '../vault.ts';

export const vaultView: VaultReader = Object.freeze({
  isReference: (value: unknown) => typeof value === 'string' && /^\{vault:\/\/.+\}$/.test(value),
  parseReference: parseSecretReference,
});
