import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EntityCheck,
  type FieldDefinition,
  s,
  validate,
  validateField,
} from '../../../../sdk/schema/index.ts';

const one = (field: FieldDefinition, value: unknown) => validateField(field, value);

describe('a field', () => {
  it.each<[FieldDefinition, unknown, unknown]>([
    [s.string(), 1, 'expected a string'],
    [s.string(), '', 'length must be at least 1'],
    [s.string({ len_min: 0 }), '', undefined],
    [s.string({ len_max: 2 }), 'abc', 'length must be at most 2'],
    [s.string({ len_max: 2 }), 'é', undefined],
    [s.string({ len_max: 2 }), '円', 'length must be at most 2'],
    [s.string({ len_eq: 2 }), 'abc', 'length must be 2'],
    [s.string(), 'a\0b', 'must be valid utf-8 without null characters'],
    [s.string(), '\ud800', 'must be valid utf-8 without null characters'],
    [s.string({ match: '^[a-z]+$' }), 'A', 'invalid value: A'],
    [s.string({ match: '^[a-z]+$', err: 'lower case only' }), 'A', 'lower case only'],
    [s.string({ match: '^[a-z]+$' }), 'a\n', 'invalid value: a\n'],
    [s.string({ not_match: '\\s' }), 'a b', 'invalid value: a b'],
    [
      s.string({
        match_all: [
          { pattern: '^a', err: 'no a' },
          { pattern: 'z$', err: 'no z' },
        ],
      }),
      'ab',
      'no z',
    ],
    [
      s.string({
        match_all: [
          { pattern: '^a', err: 'no a' },
          { pattern: 'z$', err: 'no z' },
        ],
      }),
      'az',
      undefined,
    ],
    [s.string({ match_none: [{ pattern: '//', err: 'no empty segments' }] }), '/a//b', 'no empty segments'],
    [s.string({ match_none: [{ pattern: '//', err: 'no empty segments' }] }), '/a/b', undefined],
    [s.string({ match_any: ['^a', '^b'] }), 'c', 'invalid value: c'],
    [s.string({ match_any: ['^a', '^b'], err: 'a or b' }), 'c', 'a or b'],
    [s.string({ match_any: ['^a', '^b'] }), 'bc', undefined],
    [s.regex(), '(', 'not a valid regex: ('],
    [s.regex(), '^a+$', undefined],
    [s.httpMethod(), 'get', 'invalid value: get'],
    [s.ip(), '10.0.0.0/8', 'not an ip address: 10.0.0.0/8'],
    [s.ip(), '::1', undefined],
    [s.hostWithOptionalPort(), 'a.test:80', undefined],
    [s.hostWithOptionalPort(), 'a b', 'invalid value: a b'],
    [s.number({ not_one_of: [0] }), 0, 'must not be one of: 0'],
    [s.array(s.string(), { contains: 'a' }), ['b'], 'expected to contain: a'],
    [s.array(s.string(), { len_eq: 2 }), ['b'], 'length must be 2'],
    [s.map(s.string(), s.string(), { len_max: 1 }), { a: 'b', c: 'd' }, 'length must be at most 1'],
    [s.string({ starts_with: '/' }), 'a', 'should start with: /'],
    [s.string({ not_one_of: ['env'] }), 'env', 'must not be one of: env'],
    [s.string({ eq: 'a' }), 'b', 'value must be a'],
    [s.string({ ne: 'a' }), 'a', 'value must not be a'],
    [s.string({ eq: null }), 'b', 'value must be null'],
    [s.string({ required: true }), null, 'required field missing'],
    [s.string({ required: true }), undefined, 'required field missing'],
    [s.string(), null, undefined],
    [s.enum(['a', 'b']), 'c', 'expected one of: a, b'],
    [s.enum(['a', 'b']), '', 'expected one of: a, b'],
    [s.uuid(), 'x', 'expected a valid UUID'],
    [s.uuid(), '4A7F8C1E-2B3D-0C5E-8F60-718293A4B5C6', undefined],
    [s.number(), '1', 'expected a number'],
    [s.number(), Number.POSITIVE_INFINITY, 'expected a number'],
    [s.number({ gt: 0 }), 0, 'value must be greater than 0'],
    [s.integer(), 1.5, 'expected an integer'],
    [s.integer(), 2 ** 54, 'expected an integer'],
    [s.integer(), 2 ** 53, undefined],
    [s.port(), 65536, 'value should be between 0 and 65535'],
    [s.timeoutMs(), -1, 'value should be between 0 and 2147483646'],
    [s.integer({ timestamp: true }), 0, 'expected a valid timestamp'],
    [s.boolean(), 'true', 'expected a boolean'],
    [s.array(s.string()), {}, 'expected an array'],
    [s.set(s.string()), 'a', 'expected a set'],
    [s.map(s.string(), s.string()), [], 'expected a map'],
    [s.record({}), 'a', 'expected a record'],
    [s.record({}), [], 'expected a record'],
    [s.array(s.string(), { len_min: 1 }), [], 'length must be at least 1'],
    [s.array(s.string()), ['a', 1, 'b'], [null, 'expected a string']],
    [s.array(s.string()), ['a', null], [null, 'required field missing']],
    [
      s.map(s.headerName(), s.integer()),
      { a: 1, 'b c': 1 },
      { 'b c': "bad header name 'b c', allowed characters are A-Z, a-z, 0-9, '_', and '-'" },
    ],
    [s.map(s.string(), s.integer()), { a: 'x' }, { a: 'expected an integer' }],
    [
      s.cookieName(),
      'a;b',
      'contains one or more invalid characters. ASCII control characters (0-31;127), space, tab and the characters ()<>@,;:\\"/?={}[] are not allowed.',
    ],
    [s.ipOrCidr(), '10.0.0.0/33', "invalid ip or cidr range: '10.0.0.0/33'"],
    [s.ipOrCidr(), 'fe80::/64', undefined],
    [s.url(), 'h.test', 'missing host in url'],
    [s.url(), '//h.test', 'missing scheme in url'],
    [s.url(), 'http://h.test/x', undefined],
    [s.string({ format: 'upstream_name' }), '1.2.3.4', "Invalid name ('1.2.3.4'); no ip addresses allowed"],
    [s.string({ format: 'upstream_name' }), 'a.test:80', "Invalid name ('a.test:80'); no port allowed"],
    [s.string({ format: 'upstream_name' }), 'a b', "Invalid name ('a b'); must be a valid hostname"],
    [s.foreign('services'), 'abc', { id: 'missing primary key' }],
    [s.foreign('services'), { id: 7 }, { id: 'expected a valid UUID' }],
  ])('%j given %j reports %j', (field, value, expected) => {
    expect(one(field, value)).toEqual(expected);
  });

  it('is reported once, by its first broken rule', () => {
    expect(one(s.string({ one_of: ['a'], len_max: 1, match: '^a$' }), 'bbb')).toBe('expected one of: a');
  });
});

describe('a record', () => {
  const record = s.config({ a: s.integer(), b: s.string(), inner: s.record({ c: s.boolean() }) });

  it('reports all its fields together', () => {
    expect(validate(record, { a: 'x', b: 1, inner: { c: 1, d: 1 }, e: 1 })).toEqual({
      a: 'expected an integer',
      b: 'expected a string',
      inner: { c: 'expected a boolean', d: 'unknown field' },
      e: 'unknown field',
    });
  });

  it('checks only what is present when asked to', () => {
    const strict = s.config(
      { a: s.integer({ required: true }), b: s.string() },
      { checks: [s.onlyOneOf('a', 'b')] },
    );
    expect(validate(strict, { b: 1 }, { presentOnly: true })).toEqual({ b: 'expected a string' });
    expect(validate(strict, {}, { presentOnly: true })).toBeUndefined();
  });

  it('does not take inherited members for its own', () => {
    expect(validate(record, JSON.parse('{"__proto__":1,"constructor":1}'))).toEqual(
      Object.fromEntries([
        ['__proto__', 'unknown field'],
        ['constructor', 'unknown field'],
      ]),
    );
    expect(validate(s.config({ constructor: s.string({ required: true }) }), {})).toEqual({
      constructor: 'required field missing',
    });
  });

  it('never throws, whatever it is given', () => {
    const rich = s.config(
      {
        ...record.fields,
        list: s.set(s.record({ x: s.host() })),
        map: s.map(s.headerName(), s.array(s.path())),
        f: s.foreign('x'),
      },
      {
        checks: [s.atLeastOneOf('a', 'inner.c'), s.distinct('a', 'b'), s.nonDecreasing(['a', 'b'], 'limit')],
      },
    );
    const members = ['a', 'b', 'inner', 'list', 'map', 'f', '__proto__'];
    const input = fc.dictionary(fc.constantFrom(...members), fc.jsonValue());
    fc.assert(fc.property(input, (value) => void validate(rich, value)));
  });
});

describe('rules across fields', () => {
  const of = (check: EntityCheck) =>
    s.config({ a: s.string({ len_min: 0 }), b: s.string(), c: s.array(s.string()) }, { checks: [check] });
  const texts = (check: EntityCheck, value: object, operation?: 'update') => {
    const errors = validate(of(check), value, operation ? { operation } : {});
    return typeof errors === 'object' ? errors['@entity'] : errors;
  };

  it.each([
    [
      s.atLeastOneOf('a', 'b'),
      { a: null, c: ['x'] },
      ["at least one of these fields must be non-empty: 'a', 'b'"],
    ],
    [s.atLeastOneOf('b', 'c'), { c: [] }, ["at least one of these fields must be non-empty: 'b', 'c'"]],
    [s.onlyOneOf('a', 'b'), { a: 'x', b: 'y' }, ["exactly one of these fields must be non-empty: 'a', 'b'"]],
    [s.onlyOneOf('a', 'b'), { a: 'x' }, undefined],
    [s.distinct('a', 'b'), { a: 'x', b: 'x' }, ["values of these fields must be distinct: 'a', 'b'"]],
    [s.distinct('a', 'b'), { a: null, b: null }, undefined],
    [s.mutuallyRequired('a', 'b'), { a: 'x' }, ["all or none of these fields must be set: 'a', 'b'"]],
    [
      s.mutuallyExclusive('a', 'b'),
      { a: 'x', b: 'y' },
      ["only one or none of these fields must be set: 'a', 'b'"],
    ],
    [
      s.mutuallyExclusiveSets(['a'], ['b', 'c']),
      { a: 'x', b: 'y' },
      ["these sets are mutually exclusive: ('a'), ('b')"],
    ],
    [s.mutuallyExclusiveSets(['a'], ['b', 'c']), { b: 'y', c: ['z'] }, undefined],
    [
      s.conditionalAtLeastOneOf('a', { eq: 'x' }, ['b', 'c']),
      { a: 'x' },
      ["at least one of these fields must be non-empty: 'b', 'c'"],
    ],
    [s.conditionalAtLeastOneOf('a', { eq: 'x' }, ['b', 'c'], 'b or c'), { a: 'x' }, ['b or c']],
    [s.conditionalAtLeastOneOf('a', { eq: 'x' }, ['b', 'c']), { a: 'y' }, undefined],
    [
      s.conditional('a', { eq: 'x' }, 'b', { required: true }, { err: 'x needs b' }),
      { a: 'x' },
      ['x needs b'],
    ],
  ])('%j given %j report %j', (check, value, expected) => {
    expect(texts(check, value)).toEqual(expected);
  });

  it('report a failed condition with the field it is about', () => {
    const record = of(s.conditional('a', { one_of: ['x'] }, 'b', { required: true }));
    expect(validate(record, { a: 'x' })).toEqual({
      '@entity': ["failed conditional validation given value of field 'a'"],
      b: 'required field missing',
    });
    expect(validate(record, { a: 'y' })).toBeUndefined();
  });

  it('drop a condition when a field that stands in for the other is given', () => {
    const record = of(s.conditional('a', { eq: 'x' }, 'b', { required: true }, { unlessAnyOf: ['c'] }));
    expect(validate(record, { a: 'x', c: ['z'] })).toBeUndefined();
    expect(validate(record, { a: 'x', c: null })).toMatchObject({ b: 'required field missing' });
  });

  it('keep silent about fields that are in error themselves', () => {
    expect(validate(of(s.onlyOneOf('a', 'b')), { a: 1, b: 'x' })).toEqual({ a: 'expected a string' });
  });

  it('say that they concern an update', () => {
    expect(texts(s.atLeastOneOf('a', 'b'), {}, 'update')).toEqual([
      "when updating, at least one of these fields must be non-empty: 'a', 'b'",
    ]);
  });

  it('stand inside the record that has them', () => {
    const outer = s.config({ inner: of(s.atLeastOneOf('a', 'b')) });
    expect(validate(outer, { inner: {} })).toEqual({
      inner: { '@entity': ["at least one of these fields must be non-empty: 'a', 'b'"] },
    });
  });
});
