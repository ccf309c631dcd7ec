import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyDefaults,
  coerceForm,
  expandShorthands,
  type PlainRecord,
  s,
  showShorthands,
} from '../../../../sdk/schema/index.ts';

const moved = { message: 'moved', removal_in_version: '4.0' };
const record = s.config(
  {
    name: s.string({ default: 'x' }),
    count: s.integer({ default: 5 }),
    flag: s.boolean(),
    tags: s.set(s.string()),
    list: s.array(s.integer(), { default: [1, 1] }),
    map: s.map(s.string(), s.number()),
    inner: s.record({ host: s.host(), port: s.port({ default: 80 }) }, { required: true }),
    optional: s.record({ a: s.string({ default: 'y' }) }),
    peers: s.array(s.record({ port: s.port({ default: 1 }), ip: s.string() })),
  },
  { shorthands: { host: s.deprecated(s.host(), ['inner', 'host'], moved) } },
);
const anyInput = fc.dictionary(
  fc.constantFrom(
    'name',
    'count',
    'flag',
    'tags',
    'list',
    'map',
    'inner',
    'optional',
    'peers',
    'host',
    '__proto__',
  ),
  fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('', '1', 'true')),
) as fc.Arbitrary<PlainRecord>;

describe('defaults', () => {
  it('fill absent members alone, and required records from within', () => {
    expect(applyDefaults(record, { count: null, peers: [{ ip: 'a' }], nope: 1 })).toEqual({
      name: 'x',
      count: null,
      flag: null,
      tags: null,
      list: [1, 1],
      map: null,
      inner: { host: null, port: 80 },
      optional: null,
      peers: [{ ip: 'a', port: 1 }],
      nope: 1,
    });
  });

  it('drop the duplicates of a set in their order, and leave an array as it is', () => {
    expect(applyDefaults(record, { tags: ['b', 'a', 'b'], list: [2, 2] })).toMatchObject({
      tags: ['b', 'a'],
      list: [2, 2],
    });
    const objects = s.config({ peers: s.set(s.record({ a: s.integer(), b: s.integer() })) });
    expect(
      applyDefaults(objects, {
        peers: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      }),
    ).toEqual({ peers: [{ a: 1, b: 2 }] });
  });

  it('give each value a copy of its own', () => {
    const [first, second] = [applyDefaults(record, {}), applyDefaults(record, {})];
    expect(first['list']).not.toBe(second['list']);
  });

  it('change nothing when applied again', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const once = applyDefaults(record, input);
        expect(applyDefaults(record, once)).toEqual(once);
      }),
    );
  });
});

describe('the texts of a form', () => {
  it.each<[PlainRecord, PlainRecord]>([
    [
      { name: '', nope: '' },
      { name: null, nope: '' },
    ],
    [{ count: '7' }, { count: 7 }],
    [{ count: '2.5' }, { count: 2.5 }],
    [{ count: '0x10' }, { count: 16 }],
    [{ count: 'seven' }, { count: 'seven' }],
    [{ count: '1e999' }, { count: '1e999' }],
    [{ flag: 'true' }, { flag: true }],
    [{ flag: 'yes' }, { flag: 'yes' }],
    [{ tags: 'a,b' }, { tags: ['a,b'] }],
    [{ list: ['1', 'x'] }, { list: [1, 'x'] }],
    [{ list: '' }, { list: null }],
    [{ map: { a: '1', b: '' } }, { map: { a: 1, b: null } }],
    [{ inner: { port: '8', host: '' } }, { inner: { port: 8, host: null } }],
    [{ inner: 'x' }, { inner: 'x' }],
    [{ host: '' }, { host: null }],
    [{ peers: [{ port: '1' }] }, { peers: [{ port: 1 }] }],
  ])('%j become %j', (tree, expected) => {
    expect(coerceForm(record, tree)).toEqual(expected);
  });

  it('do not change when they are coerced again', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const once = coerceForm(record, input);
        expect(coerceForm(record, once)).toEqual(once);
      }),
    );
  });
});

describe('deprecated members', () => {
  it('move to their successor and are gone from the input', () => {
    expect(expandShorthands(record, { host: 'a' })).toEqual({ ok: true, value: { inner: { host: 'a' } } });
    expect(expandShorthands(record, { host: null, inner: { host: 'b' } })).toEqual({
      ok: true,
      value: { inner: { host: 'b' } },
    });
    expect(expandShorthands(record, { host: 'a', inner: { host: null } })).toEqual({
      ok: true,
      value: { inner: { host: 'a' } },
    });
  });

  it('are reported by their own name', () => {
    expect(expandShorthands(record, { host: 'a:b:c' })).toEqual({
      ok: false,
      errors: { host: 'invalid value: a:b:c' },
    });
    expect(
      expandShorthands(s.config({ config: record }), { config: { host: 'a', inner: { host: 'b' } } }),
    ).toEqual({
      ok: false,
      errors: {
        host: 'both deprecated and new field are used but their values mismatch: host = a vs inner.host = b',
      },
    });
  });

  it('leave a successor of the wrong type to validation', () => {
    expect(expandShorthands(record, { host: 'a', inner: 'x' })).toEqual({ ok: true, value: { inner: 'x' } });
  });

  it('show what their successors hold, so that an answer can be sent back', () => {
    const shown = showShorthands(record, applyDefaults(record, { inner: { host: 'a' } }));
    expect(shown['host']).toBe('a');
    const again = expandShorthands(record, shown);
    expect(again.ok && showShorthands(record, applyDefaults(record, again.value))).toEqual(shown);
  });
});
