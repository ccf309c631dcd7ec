import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findHeader,
  findHeaderValues,
  groupHeaders,
  joinHeaders,
} from '../../../../sdk/guest/header-lines.ts';

const text = joinHeaders(['Host', 'a.test', 'X-Key', '1', 'x-key', '', 'other', 'x-key\t2']);

describe('reading headers', () => {
  it('finds first and all values of exactly one name', () => {
    expect(findHeader(text, 'x-key')).toBe('1');
    expect(findHeaderValues(text, 'x-key')).toEqual(['1', '']);
    expect(findHeader(text, 'key')).toBeUndefined();
    expect(findHeaderValues(text, 'x-ke')).toEqual([]);
  });

  it('groups values by name, without members of its own', () => {
    expect({ ...groupHeaders(text) }).toEqual({ host: ['a.test'], 'x-key': ['1', ''], other: ['x-key\t2'] });
    expect(groupHeaders(joinHeaders(['__proto__', 'x']))['constructor']).toBeUndefined();
  });

  it('reads what was joined, for any names and values', () => {
    const name = fc.stringMatching(/^[a-z0-9_-]{1,6}$/);
    const value = fc.string({
      unit: fc.constantFrom('a', ':', ' ', '-', '\t', 'x-key', '\xff'),
      maxLength: 10,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), name, (headers, asked) => {
        const joined = joinHeaders(headers.flat());
        const expected = headers.filter(([known]) => known === asked).map(([, each]) => each);
        expect(findHeaderValues(joined, asked)).toEqual(expected);
        expect(findHeader(joined, asked)).toBe(expected[0]);
        expect(groupHeaders(joined)[asked] ?? []).toEqual(expected);
      }),
    );
  });
});
