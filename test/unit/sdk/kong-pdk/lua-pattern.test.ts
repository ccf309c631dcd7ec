/** Patterns of Lua as regular expressions: what one matches, the other matches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { translatePattern } from '../../../../sdk/kong-pdk/lua-pattern.ts';

const matches = (pattern: string, text: string) => new RegExp(translatePattern(pattern), 'u').test(text);

describe('a pattern of Lua', () => {
  it.each([
    ['^%a[%w_]*$', 'abc_1', true],
    ['^%a[%w_]*$', '1abc', false],
    ['^%d+$', '123', true],
    ['^%d+$', '12a', false],
    ['^%u%l*$', 'Hello', true],
    ['%s', 'a\tb', true],
    ['^[^%s]+$', 'a b', false],
    ['^%x%x$', 'fF', true],
    ['^%S+$', 'a b', false],
    ['^[%D]+$', 'a1', false],
    ['^[%W]+$', 'a-', false],
    ['^a.c$', 'a\nc', true],
    ['^a%.c$', 'abc', false],
    ['a.-c', 'abbc', true],
    ['^(ab)c?$', 'ab', true],
    ['a$b', 'a$b', true],
    ['^[a-c]$', 'b', true],
    ['^[a%-c]$', 'b', false],
    ['^[]]$', ']', true],
    ['^[^]]$', ']', false],
    ['^[a-]$', '-', true],
    ['^%^%$$', '^$', true],
    ['^https?://', 'http://a', true],
    ['{x}|y', '{x}|y', true],
    ['^%p+$', '!?.', true],
    ['^[%p]+$', 'a', false],
  ])('%s, given %j, matches: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it.each(['%b()', '%f[%a]', '(a)%1', 'a%', '[a', '[%'])(
    'is refused when it cannot be told: %s',
    (pattern) => {
      expect(() => translatePattern(pattern)).toThrow(TypeError);
    },
  );

  it('becomes a regular expression or is refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...'%ab[]^$()*+?-.dDsS|{}\\/ é😀')), (characters) => {
        const pattern = characters.join('');
        let source: string;
        try {
          source = translatePattern(pattern);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect(() => new RegExp(source, 'u')).not.toThrow();
      }),
    );
  });
});
