import { describe, expect, it } from 'vitest';
import {
  describeField,
  describe as describeRecord,
  formatViolations,
  luaFormat,
  s,
} from '../../../../sdk/schema/index.ts';

describe('a value in a message', () => {
  it.each([
    [{ name: 'web' }, '{name="web"}'],
    [{ name: 'cors', consumer: { id: 'C' }, route: null }, '{consumer={id="C"},name="cors",route=null}'],
    [{ 'a-b': 1, c: true, d: ['x'] }, '{["a-b"]=1,c=true,d={"x"}}'],
    [{}, '{}'],
  ])('%j is written %s', (value, text) => {
    expect(luaFormat(value)).toBe(text);
  });
});

describe('the summary of violations', () => {
  it.each([
    [{ host: 'bad' }, 'schema violation (host: bad)'],
    [{ b: 'x', '@entity': ['first', 'second'], a: 'y' }, '4 schema violations (first; second; a: y; b: x)'],
    [{ tags: [null, 'bad'] }, 'schema violation (tags.2: bad)'],
    [{ config: { b: 'x', a: 'y' } }, '2 schema violations (config.a: y; config.b: x)'],
    [{ config: 'whole' }, 'schema violation (config: whole)'],
    [
      { config: { list: ['a', null, 'b'], deep: { er: { est: 'x' } } } },
      '2 schema violations (config.deep: {\n  er = {\n    est = "x"\n  }\n}; config.list: {\n  "a",\n  [3] = "b"\n})',
    ],
    [
      { config: { '@entity': ['a "quoted" text'] } },
      'schema violation (config.@entity: {\n  "a \\"quoted\\" text"\n})',
    ],
  ])('of %j is %j', (errors, text) => {
    expect(formatViolations(errors)).toBe(text);
  });
});

describe('the description of a schema', () => {
  it('has one-member objects in order, and empty lists as lists', () => {
    const record = s.config({
      b: s.array(s.string(), { default: [] }),
      a: s.record({}),
      m: s.map(s.string(), s.port()),
    });
    expect(JSON.stringify(describeRecord(record))).toBe(
      '{"fields":[{"b":{"type":"array","elements":{"type":"string"},"default":[]}},{"a":{"type":"record","fields":[]}},' +
        '{"m":{"type":"map","keys":{"type":"string"},"values":{"type":"integer","between":[0,65535]}}}]}',
    );
  });

  it('keeps attributes and leaves out rules that are code', () => {
    expect(describeField(s.path({ required: true, eq: null, match: '^/x' }))).toEqual({
      type: 'string',
      starts_with: '/',
      required: true,
      eq: null,
      match: '^/x',
    });
    const record = s.config(
      { a: s.integer() },
      {
        checks: [
          s.nonDecreasing(['a'], 'limit'),
          s.mutuallyRequired('a'),
          s.conditional('a', { gt: 1 }, 'a', { gt: 2 }),
        ],
      },
    );
    expect(describeRecord(record).entity_checks).toEqual([
      { mutually_required: ['a'] },
      { conditional: { if_field: 'a', if_match: { gt: 1 }, then_field: 'a', then_match: { gt: 2 } } },
    ]);
  });
});
