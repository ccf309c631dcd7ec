/** What a plugin does to a body while it passes, piece by piece. */

// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement is the common case.
type Nothing = undefined | void;

/** Nothing: the piece goes on exactly as it came. `''` holds it back. A promise keeps what follows waiting. */
export type Transformed<Piece> = Piece | Nothing | Promise<Piece | Nothing>;

/**
 * Sees text. Pieces are cut anywhere but inside a character: the bytes of one that has not arrived whole wait for the rest.
 * Bytes that are no UTF-8 show as U+FFFD, and stay what they are where nothing is put in the place of their piece.
 */
export interface TextTransformer {
  text(piece: string): Transformed<string>;
  /** Behind the last piece: what it returns is added. */
  end?(): Transformed<string>;
}

/** Sees bytes. */
export interface BytesTransformer {
  bytes(piece: Uint8Array): Transformed<Uint8Array | ''>;
  /** Behind the last piece: what it returns is added. */
  end?(): Transformed<Uint8Array | ''>;
}

/**
 * Pieces are as the network delivers them, up to 16 KiB and never held up to become larger; one is asked for at a time. In
 * place of a piece, or at the end, up to 1 MiB may come.
 */
export type BodyTransformer = TextTransformer | BytesTransformer;

/** What a plugin answers that is asked about a body: nothing lets it pass. */
export type Transformation = BodyTransformer | Nothing;
