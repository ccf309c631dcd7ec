/** `kong.vault`: references to secrets. Fields that are `referenceable` hold the secret itself when a plugin sees them. */

/** `{vault://env/NAME/key}` taken apart. */
export interface VaultReference {
  /** Such as `env`. */
  readonly vault: string;
  readonly name: string;
  /** Member of the secret, which is a JSON object then. */
  readonly key: string | undefined;
}

/** Phases: all. */
export interface VaultReader {
  /** Whether it is written as `{vault://…}`. */
  isReference(value: unknown): boolean;
  /** Undefined for what is no reference. */
  parseReference(value: unknown): VaultReference | undefined;
}
