/** The texts of violated rules, word for word as clients match them (contract/admin-api.md section 3, contract/pdk.md section 5). */

export const REQUIRED = 'required field missing';
export const UNKNOWN = 'unknown field';
export const MISSING_PRIMARY_KEY = 'missing primary key';
export const EXPECTED_UUID = 'expected a valid UUID';
export const EXPECTED_TIMESTAMP = 'expected a valid timestamp';
export const NOT_TEXT = 'must be valid utf-8 without null characters';

const TYPE_WORDS = {
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'a boolean',
  array: 'an array',
  set: 'a set',
  record: 'a record',
  map: 'a map',
} as const;

export function expectedType(type: keyof typeof TYPE_WORDS): string {
  return `expected ${TYPE_WORDS[type]}`;
}

export const mustBe = (value: unknown): string => `value must be ${showValue(value)}`;
export const mustNotBe = (value: unknown): string => `value must not be ${showValue(value)}`;
export const oneOf = (values: readonly unknown[]): string => `expected one of: ${values.join(', ')}`;
export const notOneOf = (values: readonly unknown[]): string => `must not be one of: ${values.join(', ')}`;
export const greaterThan = (bound: number): string => `value must be greater than ${bound}`;
export const between = (low: number, high: number): string => `value should be between ${low} and ${high}`;
export const lengthIs = (length: number): string => `length must be ${length}`;
export const lengthAtLeast = (length: number): string => `length must be at least ${length}`;
export const lengthAtMost = (length: number): string => `length must be at most ${length}`;
export const invalidValue = (value: string): string => `invalid value: ${value}`;
export const notRegex = (value: string): string => `not a valid regex: ${value}`;
export const startsWith = (prefix: string): string => `should start with: ${prefix}`;
export const contains = (member: string): string => `expected to contain: ${member}`;

export const atLeastOneOf = (fields: readonly string[]): string =>
  `at least one of these fields must be non-empty: ${quoteList(fields)}`;
export const onlyOneOf = (fields: readonly string[]): string =>
  `exactly one of these fields must be non-empty: ${quoteList(fields)}`;
export const distinct = (fields: readonly string[]): string =>
  `values of these fields must be distinct: ${quoteList(fields)}`;
export const mutuallyRequired = (fields: readonly string[]): string =>
  `all or none of these fields must be set: ${quoteList(fields)}`;
export const mutuallyExclusive = (fields: readonly string[]): string =>
  `only one or none of these fields must be set: ${quoteList(fields)}`;
export const exclusiveSets = (sets: readonly (readonly string[])[]): string =>
  `these sets are mutually exclusive: ${sets.map((set) => `(${quoteList(set)})`).join(', ')}`;
export const failedConditional = (field: string): string =>
  `failed conditional validation given value of field '${field}'`;

export const deprecatedMismatch = (
  oldName: string,
  oldValue: string,
  newName: string,
  newValue: string,
): string =>
  `both deprecated and new field are used but their values mismatch: ${oldName} = ${oldValue} vs ${newName} = ${newValue}`;

/** `'a', 'b'`. */
export function quoteList(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

function showValue(value: unknown): string {
  return value === undefined || value === null ? 'null' : String(value);
}
