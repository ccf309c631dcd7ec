import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../../../../sdk/guest/body-codec.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data; boundary=b';
const NOTHING = { mime: undefined, fields: undefined };
const part = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;

describe('decoding a body', () => {
  it('reads forms, JSON and multipart, in any case and with parameters', () => {
    expect(decodeBody('a=1&a=2&b', `${FORM.toUpperCase()}; charset=utf-8`)).toEqual({
      mime: FORM,
      fields: { a: ['1', '2'], b: true },
    });
    expect(decodeBody('{"a":"\xc3\xa9"}', `${JSON_TYPE}; charset=utf-8`)).toEqual({
      mime: JSON_TYPE,
      fields: { a: 'é' },
    });
    expect(decodeBody(`${part('a', '\xc3\xa9')}${part('a', '2')}--b--`, MULTIPART)).toEqual({
      mime: 'multipart/form-data',
      fields: { a: ['é', '2'] },
    });
  });

  it.each(['', 'text/plain', 'application/xml', 'application/octet-stream'])(
    'does not look into %j',
    (type) => {
      expect(decodeBody('a=1', type)).toEqual(NOTHING);
    },
  );

  it.each(['application/jsonp', 'application/json-seq', `${FORM}x`])(
    'takes %j for another type than the one it begins with',
    (type) => {
      expect(decodeBody('{"a":"1"}', type)).toEqual(NOTHING);
    },
  );

  it.each(['', '{', '"text"', '5', 'null', 'true'])(
    'has no fields for JSON that is no object: %j',
    (text) => {
      expect(decodeBody(text, JSON_TYPE).fields).toBeUndefined();
    },
  );

  it('has no fields for JSON that is nested more than 200 deep', () => {
    const nested = (depth: number, inside = '') =>
      `{"a":${'['.repeat(depth - 1)}${inside}${']'.repeat(depth - 1)}}`;
    const brackets = JSON.stringify('[{"\\'.repeat(500));
    expect(decodeBody(nested(200, brackets), JSON_TYPE).fields).toHaveProperty('a');
    expect(decodeBody(nested(201, brackets), JSON_TYPE).fields).toBeUndefined();
    expect(decodeBody(nested(400_000), JSON_TYPE).fields).toBeUndefined();
    expect(decodeBody(`{"a":[${'[],'.repeat(1000)}[]]}`, JSON_TYPE).fields).toHaveProperty('a');
    expect(decodeBody(`"${'\\'.repeat(5001)}"`, JSON_TYPE).fields).toBeUndefined();
  });

  it('has no fields for multipart that is cut short or has no boundary', () => {
    expect(decodeBody(part('a', '1'), MULTIPART).fields).toBeUndefined();
    expect(decodeBody(`${part('a', '1')}--b--`, 'multipart/form-data').fields).toBeUndefined();
  });

  it('never throws, for any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each).toString('latin1'));
    fc.assert(
      fc.property(bytes, fc.constantFrom(FORM, JSON_TYPE, MULTIPART, 'text/plain'), (text, type) => {
        decodeBody(text, type);
      }),
    );
  });
});

describe('encoding a body', () => {
  it('writes forms that decode to the same fields', () => {
    const value = fc.string({ unit: 'grapheme' });
    const fields = fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.oneof(value, fc.array(value, { minLength: 2, maxLength: 4 })),
    );
    fc.assert(
      fc.property(fields, (given) => {
        expect({ ...decodeBody(encodeBody(given, FORM, '', FORM), FORM).fields }).toEqual({ ...given });
      }),
    );
  });

  it('writes JSON that decodes to the same fields', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (given) => {
        const expected = JSON.parse(JSON.stringify(given));
        expect(decodeBody(encodeBody(given, JSON_TYPE, '', JSON_TYPE), JSON_TYPE).fields).toEqual(expected);
      }),
    );
  });

  it('keeps the parts of multipart that are still among the fields, byte for byte', () => {
    const original = `${part('a', '\xff\xfe')}${part('key', 'secret')}${part('b', '2')}--b--\r\n`;
    expect(encodeBody({ a: '\xff\xfe', b: '2' }, 'multipart/form-data', original, MULTIPART)).toBe(
      `${part('a', '\xff\xfe')}${part('b', '2')}--b--\r\n`,
    );
  });

  it('writes a changed or new field of multipart as a part of its own, behind the others', () => {
    const original = `${part('a', '1')}${part('b', '2')}--b--\r\n`;
    const fields = { a: 'é', b: '2', 'c"\r\nX: 1': ['3', '4'] };
    expect(encodeBody(fields, 'multipart/form-data', original, MULTIPART)).toBe(
      `${part('b', '2')}${part('a', '\xc3\xa9')}${part('c%22%0D%0AX: 1', '3')}${part('c%22%0D%0AX: 1', '4')}--b--\r\n`,
    );
    expect(encodeBody({ a: '1' }, 'multipart/form-data', '', MULTIPART)).toBe(`${part('a', '1')}--b--\r\n`);
  });

  it('keeps head and bytes of a multipart field that gets another name', () => {
    const file = (name: string) =>
      `--b\r\nX-A: 1\r\nContent-Disposition: form-data; filename="name=x"; name="${name}"; x=y\r\n` +
      'Content-Type: image/png\r\n\r\n\x89PNG\xff\r\n';
    expect(
      encodeBody({ new: '\x89PNG\xff' }, 'multipart/form-data', `${file('old')}--b--\r\n`, MULTIPART),
    ).toBe(`${file('new')}--b--\r\n`);
  });

  it('throws on a multipart field that would end its part', () => {
    const fields = { a: 'x\r\n--b\r\nContent-Disposition: form-data; name="admin"\r\n\r\n1' };
    expect(() => encodeBody(fields, 'multipart/form-data', '', MULTIPART)).toThrow(TypeError);
  });

  it('drops a part whose name is a member of every object, unless it is among the fields', () => {
    const original = `${part('toString', '1')}${part('a', '2')}--b--\r\n`;
    expect(encodeBody({ a: '2' }, 'multipart/form-data', original, MULTIPART)).toBe(
      `${part('a', '2')}--b--\r\n`,
    );
  });

  it('throws on what it cannot encode', () => {
    expect(() => encodeBody({}, 'text/plain', '', '')).toThrow(TypeError);
    expect(() => encodeBody({}, 'multipart/form-data', 'no parts', MULTIPART)).toThrow(TypeError);
  });
});
