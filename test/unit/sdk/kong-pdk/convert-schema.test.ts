import { describe, expect, it } from 'vitest';
import { convertSchema } from '../../../../sdk/kong-pdk/convert-schema.ts';
import { applyDefaults, validate } from '../../../../sdk/schema/index.ts';

const SCHEMA = [
  { message: { type: 'string', required: true, default: 'hello', match: '^%a+$' } },
  { codes: { type: 'set', elements: { type: 'integer', between: [100, 599] } } },
  { names: { type: 'map', keys: { type: 'string' }, values: { type: 'string', one_of: ['a', 'b'] } } },
  {
    redis: {
      type: 'record',
      required: true,
      fields: [
        { host: { type: 'string', default: 'localhost' } },
        { path: { type: 'string', match_none: [{ pattern: '//', err: 'no empty segments' }] } },
        { mode: { type: 'string', match_any: { patterns: ['^x', '^y'], err: 'x or y' } } },
      ],
      entity_checks: [
        { at_least_one_of: ['host', 'path'] },
        {
          conditional: {
            if_field: 'host',
            if_match: { match: '^%d' },
            then_field: 'path',
            then_match: { required: true },
          },
        },
      ],
    },
  },
] as const;

describe('a schema of the kit', () => {
  const record = convertSchema(SCHEMA);
  const problems = (config: object) => validate(record, applyDefaults(record, config as never));

  it('gives defaults, those of records inside as well', () => {
    expect(applyDefaults(record, {})).toEqual({
      message: 'hello',
      codes: null,
      names: null,
      redis: { host: 'localhost', path: null, mode: null },
    });
  });

  it('refuses what Kong refuses, in its words', () => {
    const config = {
      message: 'a1',
      codes: [700],
      names: { n: 'c' },
      redis: { host: '1a', path: '/a//b', mode: 'z' },
      more: 1,
    };
    expect(problems(config)).toEqual({
      message: 'invalid value: a1',
      codes: ['value should be between 100 and 599'],
      names: { n: 'expected one of: a, b' },
      redis: { path: 'no empty segments', mode: 'x or y' },
      more: 'unknown field',
    });
    expect(problems({ redis: { host: '1a' } })).toEqual({
      redis: {
        path: 'required field missing',
        '@entity': ["failed conditional validation given value of field 'host'"],
      },
    });
  });

  it.each([
    [[{ f: { type: 'function' } }], "config.f: there are no fields of type 'function' here"],
    [[{ f: {} }], "config.f: there are no fields of type 'undefined' here"],
    [
      [{ f: { type: 'string', custom_validator: () => true } }],
      "config.f: 'custom_validator' has no counterpart here",
    ],
    [
      [{ f: { type: 'string', match: '%b()' } }],
      "the pattern '%b()' has %b, which cannot be told in JavaScript",
    ],
    [
      [{ f: { type: 'record' } }, { g: { type: 'record', fields: {} } }],
      'config.g: fields are a list of objects with one member',
    ],
    [
      [{ f: { type: 'record', fields: [], entity_checks: [{ custom_entity_check: {} }] } }],
      "config.f: the rule 'custom_entity_check' has no counterpart here",
    ],
  ])('says what has no counterpart: %#', (schema, text) => {
    expect(() => convertSchema(schema)).toThrow(text);
  });
});
