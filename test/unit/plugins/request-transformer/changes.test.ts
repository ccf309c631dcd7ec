import { describe, expect, it } from 'vitest';
import { changeFields } from '../../../../plugins/request-transformer/change-fields.ts';
import { changeHeaders } from '../../../../plugins/request-transformer/change-headers.ts';
import type { Changes } from '../../../../plugins/request-transformer/rules.ts';

const NO_CHANGES: Changes = { remove: [], rename: [], replace: [], add: [], append: [] };
const to = (name: string, value: string) => ({ name, value });

function changed(fields: Readonly<Record<string, unknown>>, changes: Partial<Changes>) {
  const map = new Map(Object.entries(fields));
  const isChanged = changeFields(map, { ...NO_CHANGES, ...changes });
  return isChanged ? Object.fromEntries(map) : 'as it was';
}

describe('changes to fields', () => {
  it('come in the order remove, rename, replace, add, append', () => {
    const changes = {
      append: [to('a', '5')],
      add: [to('a', '4')],
      replace: [to('a', '3')],
      rename: [to('b', 'a')],
      remove: ['a'],
    };
    expect(changed({ a: '1', b: '2' }, changes)).toEqual({ a: ['3', '5'] });
    expect(changed({ a: '1' }, changes)).toEqual({ a: ['4', '5'] });
  });

  it('leave alone what is not there, or is there already', () => {
    const changes = {
      remove: ['x'],
      rename: [to('x', 'a')],
      replace: [to('x', '1')],
      add: [to('a', '2')],
    };
    expect(changed({ a: null }, changes)).toBe('as it was');
  });

  it('give a renamed field the place of the one that had the name', () => {
    expect(changed({ a: '1', b: ['2', '3'] }, { rename: [to('b', 'a')] })).toEqual({ a: ['2', '3'] });
    expect(changed({ a: '1' }, { rename: [to('a', 'a')] })).toEqual({ a: '1' });
  });

  it('append to anything', () => {
    const append = [to('a', 'x')];
    expect(changed({}, { append })).toEqual({ a: ['x'] });
    expect(changed({ a: 5 }, { append })).toEqual({ a: [5, 'x'] });
    expect(changed({ a: [] }, { append })).toEqual({ a: ['x'] });
  });

  it('reach no prototype', () => {
    const map = new Map<string, unknown>();
    changeFields(map, { ...NO_CHANGES, add: [to('__proto__', 'x')] });
    expect(Object.entries(Object.fromEntries(map))).toEqual([['__proto__', 'x']]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe('changes to headers', () => {
  const apply = (headers: Readonly<Record<string, readonly string[]>>, changes: Partial<Changes>) =>
    [...changeHeaders(headers, { ...NO_CHANGES, ...changes }).values()].map(({ name, values }) => [
      name,
      ...values,
    ]);

  it('compare names without case and keep the case of the configuration', () => {
    const headers = { 'x-a': ['1'], 'x-b': ['2', '3'] };
    expect(apply(headers, { remove: ['X-A'] })).toEqual([['X-A']]);
    expect(apply(headers, { rename: [to('X-B', 'X-C')] })).toEqual([['X-B'], ['X-C', '2', '3']]);
    expect(apply(headers, { rename: [to('x-a', 'X-A')] })).toEqual([['X-A', '1']]);
    expect(apply(headers, { replace: [to('X-B', 'new'), to('X-D', 'new')] })).toEqual([['X-B', 'new']]);
    expect(apply(headers, { add: [to('X-A', 'new'), to('X-D', 'new')] })).toEqual([['X-D', 'new']]);
    expect(apply(headers, { append: [to('X-B', '4'), to('X-D', '5')] })).toEqual([
      ['X-B', '2', '3', '4'],
      ['X-D', '5'],
    ]);
  });

  it('replace Host, and do nothing else to it', () => {
    const headers = { host: ['a.test'], 'x-a': ['1'] };
    const host = [to('Host', 'b.test')];
    expect(apply(headers, { replace: host })).toEqual([['Host', 'b.test']]);
    expect(
      apply(headers, {
        remove: ['Host'],
        rename: [to('host', 'x-h'), to('x-a', 'host')],
        add: host,
        append: host,
      }),
    ).toEqual([]);
  });

  it('find no header that every object has', () => {
    expect(apply({}, { replace: [to('constructor', 'x')] })).toEqual([]);
  });
});
