/** Something about an author's package that the author can put right; the message says what. */
export class AuthoringError extends Error {
  override readonly name = 'AuthoringError';
}
