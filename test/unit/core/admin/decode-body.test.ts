import { describe, expect, it } from 'vitest';
import { bodyKind, decodeBody } from '../../../../core/admin/decode-body.ts';

const json = (text: string) => decodeBody('json', 'application/json', Buffer.from(text));

describe('the kind of a body', () => {
  it.each([
    ['application/json', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['application/jsonish', 'json'],
    ['application/x-www-form-urlencoded', 'form'],
    ['multipart/form-data; boundary=x', 'multipart'],
  ])('of %s is %s', (type, kind) => {
    expect(bodyKind(type, true, false)).toBe(kind);
  });

  it.each(['Application/JSON', 'text/plain', '', ' application/json', 'application/yaml'])(
    'is refused for %j',
    (type) => {
      expect(() => bodyKind(type, true, false)).toThrow('Unsupported media type');
    },
  );

  it('may be absent together with the body', () => {
    expect(bodyKind(undefined, false, false)).toBe('none');
    expect(() => bodyKind(undefined, true, false)).toThrow('Unsupported media type');
  });

  it.each(['application/yaml', 'text/yaml'])('of %s is taken where the endpoint says so', (type) => {
    expect(bodyKind(type, true, true)).toBe('yaml');
  });
});

describe('a JSON body', () => {
  it('is taken as it is', async () => {
    const { members, isForm } = await json('{"port":"80","name":""}');
    expect(members).toEqual({ port: '80', name: '' });
    expect(isForm).toBe(false);
  });

  it('counts as empty when it is an array', async () => {
    expect((await json('[{"name":"a"}]')).members).toEqual({});
  });

  it.each([
    '',
    '{',
    'null',
    '1',
    '"a"',
    'true',
    '['.repeat(100_000),
    `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
  ])('is refused when it is no object of reasonable depth', async (text) => {
    await expect(json(text)).rejects.toThrow('Cannot parse JSON body');
  });
});

describe('a form body', () => {
  it('is refused with more than 1000 fields', async () => {
    const form = Array.from({ length: 1001 }, (_, index) => `a${index}=1`).join('&');
    await expect(decodeBody('form', '', Buffer.from(form))).rejects.toThrow('Too many arguments');
  });

  it('may be multipart, with the same keys', async () => {
    const body = [
      '--x\r\ncontent-disposition: form-data; name="name"\r\n\r\nweb',
      '--x\r\ncontent-disposition: form-data; name="tags[]"\r\n\r\na\r\nb',
      '--x\r\ncontent-disposition: form-data; name="cert"; filename="c.pem"\r\n\r\nPEM',
      '--x--\r\n',
    ].join('\r\n');
    const input = await decodeBody('multipart', 'multipart/form-data; boundary=x', Buffer.from(body));
    expect(input).toEqual({ members: { name: 'web', tags: ['a\r\nb'], cert: 'PEM' }, isForm: true });
  });

  it.each(['multipart/form-data', 'multipart/form-data; boundary=y'])(
    'counts as no fields when %s does not fit the body',
    async (type) => {
      expect(await decodeBody('multipart', type, Buffer.from('--x\r\n'))).toEqual({
        members: {},
        isForm: true,
      });
    },
  );
});
