import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../../core/admin/parse-arguments.ts';
import { parseTagsFilter } from '../../../../core/admin/parse-tags-filter.ts';

function filter(query: string) {
  const [argument] = parseArguments(query);
  if (argument === undefined) throw new Error('no argument');
  return parseTagsFilter(argument);
}

describe('the tags filter (contract/admin-api.md section 2.5)', () => {
  it.each([
    ['tags=a', { mode: 'and', values: ['a'] }],
    ['tags=a,b', { mode: 'and', values: ['a', 'b'] }],
    ['tags=a/b', { mode: 'or', values: ['a', 'b'] }],
    ['tags=a%20b,%E5%86%86', { mode: 'and', values: ['a b', '円'] }],
    ['tags=1,2,3,4,5', { mode: 'and', values: ['1', '2', '3', '4', '5'] }],
  ])('reads %s', (query, expected) => {
    expect(filter(query)).toEqual(expected);
  });

  it.each([
    ['tags=', 'cannot be null'],
    ['tags', 'cannot be null'],
    ['tags=a,b/c', 'invalid filter syntax'],
    ['tags=,', 'invalid filter syntax'],
    ['tags=a,', 'invalid filter syntax'],
    ['tags=%80', 'invalid filter syntax'],
    ['tags=a%07', 'invalid filter syntax'],
    ['tags=1,2,3,4,5,6', 'cannot query more than 5 tags'],
  ])('refuses %s', (query, text) => {
    expect(() => filter(query)).toThrowError(
      expect.objectContaining({
        code: 11,
        errorName: 'invalid options',
        message: `invalid option (tags: ${text})`,
        options: { tags: text },
      }),
    );
  });
});
