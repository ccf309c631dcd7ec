/** What somebody else's data is, as far as it has to be known before it is gone by. Pure. */

export type Plain = Readonly<Record<string, unknown>>;

export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const oneOf =
  (known: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'string' && known.includes(value);

export const isListOf = (value: unknown, accepts: (element: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every((element) => accepts(element));

/** What somebody has written, for a message: even what cannot be made a text. */
export const quote = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');

/** Whether what recurses into it comes to an end before its stack does. `left`: levels that it may have. */
export const isShallow = (value: unknown, left: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (left > 0 && Object.values(value).every((member) => isShallow(member, left - 1)));
