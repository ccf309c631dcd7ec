/** `{vault://env/NAME}`: names a secret instead of holding it, in fields that are `referenceable`. */

export interface SecretReference {
  /** Where to look, e.g. `env`. */
  readonly vault: string;
  readonly name: string;
  /** Member of the secret, which is a JSON object then. */
  readonly key: string | undefined;
}

const REFERENCE = /^\{vault:\/\/([a-z][a-z0-9-]*)\/([A-Za-z0-9_.-]+)(?:\/([^/{}?\s]+))?\}$/;

/** Undefined for anything that is no reference. Whether there is such a secret is another question. */
export function parseSecretReference(value: unknown): SecretReference | undefined {
  const match = typeof value === 'string' ? REFERENCE.exec(value) : null;
  return match === null ? undefined : { vault: match[1] as string, name: match[2] as string, key: match[3] };
}
