/** Ids of traces and spans that begin in the guest. They have to differ, not to be unguessable. */
const DIGITS_AT_ONCE = 8;

/** So many lower-case hex digits (a multiple of 8), not all of them zero. */
export function createHexId(digits: number): string {
  let id = '';
  while (id.length < digits) {
    const part = Math.floor(Math.random() * 16 ** DIGITS_AT_ONCE);
    id += part.toString(16).padStart(DIGITS_AT_ONCE, '0');
  }
  return /[^0]/.test(id) ? id : createHexId(digits);
}
