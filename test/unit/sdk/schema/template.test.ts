import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate, type TemplateValues } from '../../../../sdk/schema/template.ts';

const REQUEST: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  headers: { host: 'a.test', 'x-user': 'eve' },
  query_params: { a: '1', list: ['first', 'second'], bare: true },
  uri_captures: { 0: '/items/7', 1: '7', item: '7' },
  shared: { deep: { names: ['x', 'y'] }, no: false, none: null, count: 3, text: 'text' },
};
const VALUES = Object.fromEntries(
  Object.entries(REQUEST).map(([source, members]) => [source, (member: string | number) => members[member]]),
) as unknown as TemplateValues;

const render = (text: string) => compileTemplate(text).render(VALUES);

describe('a template', () => {
  it.each([
    ['plain text, $ and ) ( alone', 'plain text, $ and ) ( alone'],
    ['$(headers.host)', 'a.test'],
    ["a$(headers['x-user'])b$( query_params.a )c", 'aeveb1c'],
    ['$(headers["x-user"])', 'eve'],
    ['$(uri_captures[1])-$(uri_captures.item)-$(uri_captures[0])', '7-7-/items/7'],
    ["$(headers.absent or 'nobody')", 'nobody'],
    ["$(headers.absent or query_params.absent or 'nobody')", 'nobody'],
    ["$(headers.host or 'nobody')", 'a.test'],
    ['$(shared.no or shared.none or 5)', '5'],
    ["$('Basic ' .. headers['x-user'] .. ':' .. 7)", 'Basic eve:7'],
    ["$(headers.absent or 'a' .. 'b')", 'ab'],
    ["$((headers.absent or 'a') .. 'b')", 'ab'],
    ['$(shared.deep.names[2])', 'y'],
    ['$(query_params.list)', 'first'],
    ['$(query_params.list[2])', 'second'],
    ['$(query_params.bare)', 'true'],
    ['$(shared.count)', '3'],
    ['[$(headers.absent)$(shared.no)$(shared.none)]', '[]'],
    ["$('it\\'s (fine)')", "it's (fine)"],
    ['$(headers.or_not)', ''],
  ])('%s comes to %j', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  it('encodes what expressions come to, and nothing else', () => {
    const upper = (text: string) => text.toUpperCase();
    expect(compileTemplate('a$(headers.host)b').render(VALUES, upper)).toBe('aA.TESTb');
  });

  it('says which sources it reads', () => {
    expect([...compileTemplate("x$(headers.a or shared.b)$('c')").sources]).toEqual(['headers', 'shared']);
  });

  it.each([
    ['$(headers.host', "an expression has no ')' at its end"],
    ['$()', "unexpected ')'"],
    ['$(headers)', "'headers' needs a member, as in headers.x or headers['x']"],
    ['$(headers.x-user)', "unexpected '-'"],
    ['$(os.execute)', "'os' is not known here, only headers, query_params, uri_captures, shared"],
    ['$(headers.host:upper())', "unexpected ':'"],
    ['$(tostring(1))', "'tostring' is not known here, only headers, query_params, uri_captures, shared"],
    ['$(headers.a and headers.b)', "unexpected 'and'"],
    ['$((function() return 1 end)())', "unexpected 'function'"],
    ["$('a' 'b')", "unexpected 'b'"],
    ['$(headers.)', "unexpected ')'"],
    ['$(headers[headers.a])', "unexpected 'headers'"],
    ['$(1 + 1)', "unexpected '+'"],
    ["$('open)", "unexpected '''"],
    [`$${'('.repeat(100)}`, 'too many parentheses'],
  ])('that says %s is refused: %s', (text, reason) => {
    expect(() => compileTemplate(text)).toThrow(new SyntaxError(reason));
  });

  it.each([
    '$(shared.absent.x)',
    '$(headers.host.x)',
    '$(shared.deep)',
    "$('a' .. headers.absent)",
    "$(shared.no .. 'a')",
  ])('fails when it is rendered without a value for %s', (text) => {
    expect(() => render(text)).toThrow(TypeError);
  });

  it('finds no members that every object has', () => {
    expect(render("[$(shared.deep.constructor)$(shared.deep['__proto__'])]")).toBe('[]');
  });

  it('is compiled or refused with a SyntaxError, whatever it says', () => {
    const piece = fc.constantFrom(
      '$(',
      ')',
      'headers',
      '.',
      'x',
      ' or ',
      '..',
      "'",
      '"',
      '[',
      ']',
      '1',
      'é',
      '\\',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          compileTemplate(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });
});
