/** Encrypting texts at rest: AES-256-GCM under the first of several keys, readable under any of them. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export interface Keyring {
  /** Whether there is a key at all. Without one `seal` gives texts back as they are. */
  readonly hasKey: boolean;
  /** `context` says whose text it is; it can only be opened as the same one's. */
  seal(text: string, context: string): string;
  /**
   * The text as it was, or as it is when it was never sealed. One that cannot be opened, for want of its key or because
   * it has been changed or moved, stays as it is too: `onUnreadable` hears which key it would take.
   */
  open(text: string, context: string): string;
}

/** `$sealed$<id of the key>$<nonce, ciphertext and tag in base64url>`. */
const MARK = '$sealed$';
const SEALED = /^\$sealed\$([0-9a-f]{16})\$([\w-]+)$/;
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `keys`: 32 bytes each, the one to encrypt with first. */
export function createKeyring(
  keys: readonly Buffer[],
  onUnreadable: (keyId: string) => void = () => {},
): Keyring {
  const byId = new Map(keys.map((key) => [idOf(key), key]));
  const [first] = byId;
  const openSealed = (keyId: string, sealed: string, context: string): string | undefined => {
    const key = byId.get(keyId);
    if (key === undefined) return undefined;
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
      return Buffer.concat(opened).toString('utf8');
    } catch {
      return undefined;
    }
  };
  return {
    hasKey: first !== undefined,
    seal(text, context) {
      if (first === undefined) return text;
      const [id, key] = first;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(context));
      const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return `${MARK}${id}$${Buffer.concat(parts).toString('base64url')}`;
    },
    open(text, context) {
      if (!text.startsWith(MARK)) return text;
      const [, keyId, sealed] = SEALED.exec(text) ?? [];
      if (keyId === undefined || sealed === undefined) return text;
      const opened = openSealed(keyId, sealed, context);
      if (opened === undefined) onUnreadable(keyId);
      return opened ?? text;
    },
  };
}

function idOf(key: Buffer): string {
  return createHash('sha256').update('tollgate key id').update(key).digest('hex').slice(0, 16);
}
