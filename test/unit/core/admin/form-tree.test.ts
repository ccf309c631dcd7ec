import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildFormTree } from '../../../../core/admin/form-tree.ts';
import { parseArguments } from '../../../../core/admin/parse-arguments.ts';

function tree(form: string): unknown {
  return buildFormTree(parseArguments(form).map(({ name, value }) => [name, value] as const));
}

describe('the tree of a form (contract/admin-api.md section 1.4)', () => {
  it.each([
    ['a.b.c=x', { a: { b: { c: 'x' } } }],
    ['a[]=x', { a: ['x'] }],
    ['a[]=x&a[]=y', { a: ['x', 'y'] }],
    ['a[1]=x&a[2]=y', { a: ['x', 'y'] }],
    ['a[2]=y&a[1]=x', { a: ['x', 'y'] }],
    ['a=x&a=y', { a: ['x', 'y'] }],
    ['a[b]=x', { a: { b: 'x' } }],
    ['a[b.c]=x', { a: { 'b.c': 'x' } }],
    ['a[1].b=x&a[1].c=y', { a: [{ b: 'x', c: 'y' }] }],
    ['a[1][b]=x', { a: [{ b: 'x' }] }],
    [
      'config.headers.x=1&config.headers.y[]=2&config[z]=3',
      { config: { headers: { x: '1', y: ['2'] }, z: '3' } },
    ],
    ['name=', { name: '' }],
    ['name=a%20b+c', { name: 'a b c' }],
    ['a%5B%5D=x', { a: ['x'] }],
  ])('reads %s', (form, expected) => {
    expect(tree(form)).toEqual(expected);
  });

  it('makes a short list of a large index', () => {
    expect(tree('a[999999999]=x')).toEqual({ a: ['x'] });
  });

  it.each(['a[b', 'a[b]c', '[b]'])('takes %s, which no key rule covers, as one name', (key) => {
    expect(tree(`${encodeURIComponent(key)}=x`)).toEqual({ [key]: 'x' });
  });

  it('loses nothing when a field is both a value and a record', () => {
    expect(tree('a=x&a.b=y')).toEqual({ a: { 1: 'x', b: 'y' } });
  });

  it('keeps __proto__ and constructor as ordinary names', () => {
    const made = tree('__proto__.polluted=1&constructor.prototype.polluted=1&a[__proto__][polluted]=1');
    expect(JSON.stringify(made)).toBe(
      '{"__proto__":{"polluted":"1"},"constructor":{"prototype":{"polluted":"1"}},"a":{"__proto__":{"polluted":"1"}}}',
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('refuses keys nested deeper than 128', () => {
    expect(() => tree(`a${'[b]'.repeat(200)}=x`)).toThrow('nested too deeply');
  });

  it('never fails otherwise, whatever the keys are', () => {
    const key = fc.stringMatching(/^[ab.[\]1_]{1,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.string()), { maxLength: 20 }), (pairs) => {
        expect(Object.getPrototypeOf(buildFormTree(pairs))).toBe(Object.prototype);
      }),
      { numRuns: 200 },
    );
  });
});
