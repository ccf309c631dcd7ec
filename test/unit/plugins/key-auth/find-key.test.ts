import { describe, expect, it } from 'vitest';
import { findKey } from '../../../../plugins/key-auth/find-key.ts';

type Kong = Parameters<typeof findKey>[0];
type Config = Parameters<typeof findKey>[1];
type Body = Parameters<typeof findKey>[2];

interface Places {
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

const CONFIG = { key_names: ['one', 'two'], key_in_header: true, key_in_query: true, key_in_body: true };

function search({ headers = {}, query = {}, body }: Places, config: object = {}) {
  const request = {
    getHeaderValues: (name: string) => headers[name] ?? [],
    getRawQuery: () => Object.keys(query).join('&'),
    getQuery: () => query,
  };
  const decoded: Body = body === undefined ? undefined : { mime: 'application/json', fields: body };
  return findKey({ request } as unknown as Kong, { ...CONFIG, ...config } as unknown as Config, decoded);
}

describe('the search for a key', () => {
  it('goes by name first, then header, query and body', () => {
    const places = { headers: { two: ['h2'] }, query: { one: 'q1' }, body: { one: 'b1' } };
    expect(search(places)).toEqual({ kind: 'found', name: 'one', key: 'q1' });
    expect(search({ ...places, query: {} })).toEqual({ kind: 'found', name: 'one', key: 'b1' });
    expect(search({ ...places, headers: { one: ['h1'] } })).toEqual({
      kind: 'found',
      name: 'one',
      key: 'h1',
    });
    expect(search({ headers: places.headers })).toEqual({ kind: 'found', name: 'two', key: 'h2' });
  });

  it('ends at an empty text', () => {
    expect(search({ headers: { one: [''], two: ['h2'] }, query: { one: 'q1' } })).toEqual({
      kind: 'found',
      name: 'one',
      key: '',
    });
  });

  it('ends at a list', () => {
    expect(search({ headers: { one: ['a', 'a'] } })).toEqual({ kind: 'repeated' });
    expect(search({ query: { one: ['a', true] } })).toEqual({ kind: 'repeated' });
    expect(search({ body: { one: [] } })).toEqual({ kind: 'repeated' });
  });

  it.each([true, 5, null, {}, false])('passes over %j and tries the next name', (value) => {
    expect(search({ body: { one: value, two: 'b2' } })).toEqual({ kind: 'found', name: 'two', key: 'b2' });
  });

  it('does not look into the body behind an argument without a value', () => {
    expect(search({ query: { one: true }, body: { one: 'b1' } })).toEqual({ kind: 'missing' });
  });

  it('leaves out what it may not look at', () => {
    const places = { headers: { one: ['h1'] }, query: { one: 'q1' }, body: { one: 'b1' } };
    expect(search(places, { key_in_header: false })).toMatchObject({ key: 'q1' });
    expect(search(places, { key_in_header: false, key_in_query: false })).toMatchObject({ key: 'b1' });
    expect(
      search({ headers: places.headers, query: places.query }, { key_in_header: false, key_in_query: false }),
    ).toEqual({ kind: 'missing' });
  });

  it('finds no members that every object has', () => {
    expect(search({ body: {} }, { key_names: ['toString', '__proto__'] })).toEqual({ kind: 'missing' });
  });
});
