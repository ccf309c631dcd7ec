import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMultipart, encodeMultipart, multipartBoundary } from '../../../../sdk/guest/multipart.ts';

const part = (head: string, content: string) => `--b\r\n${head}\r\n\r\n${content}\r\n`;
const named = (name: string, content: string) =>
  part(`Content-Disposition: form-data; name="${name}"`, content);

describe('the boundary', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data; charset=x; BOUNDARY="a b;c"', 'a b;c'],
    ['multipart/form-data;boundary=abc; charset=x', 'abc'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    ['multipart/form-data; boundary=""', undefined],
    ['multipart/form-data; xboundary=abc', undefined],
  ])('of %j is %j', (type, expected) => {
    expect(multipartBoundary(type)).toBe(expected);
  });
});

describe('decoding', () => {
  it('finds parts with their names, heads and bytes', () => {
    const file = 'Content-Disposition: form-data; name="f"; filename="x"\r\nContent-Type: text/plain';
    const text = `preamble\r\n${named('a', '1')}${part(file, '\r\n--x\xff\r\n')}--b--\r\nepilogue`;
    expect(decodeMultipart(text, 'b')).toEqual([
      { name: 'a', head: 'Content-Disposition: form-data; name="a"', content: '1' },
      { name: 'f', head: file, content: '\r\n--x\xff\r\n' },
    ]);
  });

  it('takes names from content-disposition alone, whatever else the head says', () => {
    const head =
      'X-Other: a; name="wrong"\r\ncontent-disposition: form-data; filename="name=x"; name="right"';
    expect(decodeMultipart(`${part(head, '')}--b--`, 'b')?.map(({ name }) => name)).toEqual(['right']);
  });

  it('takes no name from within the name of a file', () => {
    const head = 'Content-Disposition: form-data; name="file"; filename="x; name=\\"apikey"';
    const tricky = 'Content-Disposition: form-data; name="file"; filename="; name=apikey"';
    for (const each of [head, tricky]) {
      expect(decodeMultipart(`${part(each, '')}--b--`, 'b')?.map(({ name }) => name)).toEqual(['file']);
    }
  });

  it('takes a name without quotes', () => {
    expect(
      decodeMultipart(`${part('Content-Disposition: form-data; name=a', '1')}--b--`, 'b')?.[0]?.name,
    ).toBe('a');
  });

  it('leaves out parts without a name', () => {
    expect(decodeMultipart(`${part('X: y', '1')}${named('', '2')}${named('a', '3')}--b--`, 'b')).toHaveLength(
      1,
    );
  });

  it.each(['', 'x', '--b', `${named('a', '1')}`, `${named('a', '1')}--b`, '--b\r\nno end of head\r\n--bx--'])(
    'refuses what has no end: %j',
    (text) => {
      expect(decodeMultipart(text, 'b')).toBeUndefined();
    },
  );

  it('reads an empty body of no parts', () => {
    expect(decodeMultipart('--b--\r\n', 'b')).toEqual([]);
  });

  it('never throws, for any bytes and boundary', () => {
    const tricky = fc.string({
      unit: fc.constantFrom(
        '-',
        'b',
        '\r',
        '\n',
        ':',
        ';',
        '"',
        '=',
        'Content-Disposition: form-data; name=',
      ),
      maxLength: 80,
    });
    fc.assert(
      fc.property(tricky, fc.string({ minLength: 1, maxLength: 5 }), (text, boundary) => {
        for (const each of [boundary, 'b']) decodeMultipart(text, each);
      }),
    );
  });
});

describe('encoding', () => {
  it('writes what decodes to the same parts', () => {
    const content = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    const anyPart = fc
      .record({ name: fc.stringMatching(/^[a-z]{1,8}$/), content })
      .map(({ name, content: bytes }) => ({
        name,
        head: `Content-Disposition: form-data; name="${name}"`,
        content: bytes,
      }));
    fc.assert(
      fc.property(fc.array(anyPart, { maxLength: 6 }), (parts) => {
        const boundary = 'a-boundary-that-does-not-occur';
        expect(decodeMultipart(encodeMultipart(parts, boundary), boundary)).toEqual(parts);
      }),
    );
  });
});
