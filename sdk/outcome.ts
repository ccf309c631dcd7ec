declare const exitBrand: unique symbol;

/**
 * Proof that a handler has answered. `return` it: code behind an answer still runs otherwise, although the answer
 * given first stands whatever comes after it.
 */
export interface Exit {
  readonly [exitBrand]: true;
}

/** What a handler of the access phase may return: nothing lets the request go on. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement is the common case.
export type Outcome = Exit | undefined | void;
