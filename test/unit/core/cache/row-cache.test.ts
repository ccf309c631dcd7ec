import { beforeEach, describe, expect, it } from 'vitest';
import { type CachedRow, RowCache } from '../../../../core/cache/row-cache.ts';

const ENTITIES = [
  { name: 'consumers', uniqueFields: ['username', 'custom_id'] },
  { name: 'keys', uniqueFields: ['key'] },
];

let nowMs: number;
let cache: RowCache;
let asked: string[];

const key = (id: string, more: Record<string, unknown> = {}): CachedRow => ({
  id,
  key: `key-${id}`,
  ...more,
});

/** Looks a key up in a cache whose database holds `rows`. */
async function find(value: string, rows: readonly CachedRow[] = [], field = 'key') {
  return cache.find('keys', field, value, async () => {
    asked.push(value);
    return rows.find((row) => row[field] === value);
  });
}

function createCache(maxRows = 10, maxMisses = 3) {
  return new RowCache(ENTITIES, { maxRows, maxMisses }, () => nowMs);
}

beforeEach(() => {
  nowMs = 1_000_000;
  asked = [];
  cache = createCache();
});

it('asks for a row once and finds it by all its unique fields afterwards', async () => {
  expect(await find('key-a', [key('a')])).toEqual(key('a'));
  expect(await find('key-a')).toEqual(key('a'));
  expect(await find('A', [], 'id')).toEqual(key('a'));
  expect(asked).toEqual(['key-a']);
});

it('refuses fields that are not unique, and entities it does not hold', async () => {
  await expect(find('x', [], 'consumer')).rejects.toThrow("'consumer' is not a unique field of keys");
  expect(() => cache.find('plugins', 'id', 'x', async () => undefined)).toThrow('not cached');
});

it('asks once for all who want the same row at once', async () => {
  const rows = [key('a')];
  const found = await Promise.all([find('key-a', rows), find('key-a', rows), find('key-a', rows)]);
  expect(found).toEqual([key('a'), key('a'), key('a')]);
  expect(asked).toEqual(['key-a']);
});

it('hands a failure to all who wait, and asks anew afterwards', async () => {
  const failing = () => cache.find('keys', 'key', 'key-a', () => Promise.reject(new Error('gone')));
  await expect(Promise.all([failing(), failing()])).rejects.toThrow('gone');
  expect(await find('key-a', [key('a')])).toEqual(key('a'));
});

it('remembers what does not exist, and only so much of it', async () => {
  for (const value of ['1', '2', '3', '4', '4', '3', '2']) expect(await find(value)).toBeNull();
  expect(asked).toEqual(['1', '2', '3', '4']);
  await find('1');
  expect(asked.at(-1)).toBe('1');
});

it('does not remember long values that do not exist', async () => {
  await find('x'.repeat(2000));
  await find('x'.repeat(2000));
  expect(asked).toHaveLength(2);
});

it('holds no more rows than it may, and lets those go that were used longest ago', async () => {
  cache = createCache(3);
  for (const id of ['a', 'b', 'c']) await find(`key-${id}`, [key(id)]);
  await find('key-a');
  await find('key-d', [key('d')]);
  expect(cache.rowCount).toBe(3);
  expect(cache.listIds('keys')).toEqual(['c', 'a', 'd']);
});

describe('where it holds all rows of an entity', () => {
  beforeEach(() => cache.replaceAll('keys', [cache.hold(key('a'))], true));

  it('knows without asking what does not exist', async () => {
    expect(await find('key-b', [key('b')])).toBeNull();
    expect(asked).toEqual([]);
  });

  it('learns of new rows by changes', async () => {
    cache.apply('keys', [{ id: 'b', keys: ['key=key-b'], row: key('b') }]);
    expect(await find('key-b')).toEqual(key('b'));
  });

  it('asks again once it has had to let one go', async () => {
    cache = createCache(2);
    cache.replaceAll('keys', [cache.hold(key('a')), cache.hold(key('b'))], true);
    cache.apply('keys', [{ id: 'c', keys: ['key=key-c'], row: key('c') }]);
    expect(cache.rowCount).toBe(2);
    expect(cache.isComplete('keys')).toBe(false);
    expect(await find('key-a', [key('a')])).toEqual(key('a'));
  });

  it('lets rows of other entities go first', async () => {
    cache = createCache(2);
    cache.replaceAll('keys', [cache.hold(key('a'))], true);
    for (const id of ['u', 'v', 'w']) {
      await cache.find('consumers', 'id', id, async () => ({ id, username: id }));
    }
    expect(cache.isComplete('keys')).toBe(true);
    expect(cache.listIds('consumers')).toEqual(['w']);
  });
});

describe('a change', () => {
  it('replaces a row under its old and its new unique value', async () => {
    await find('key-a', [key('a')]);
    const changed = { ...key('a'), key: 'new' };
    cache.apply('keys', [{ id: 'a', keys: ['key=key-a', 'key=new'], row: changed }]);
    expect(await find('new')).toEqual(changed);
    expect(await find('key-a')).toBeNull();
    expect(asked).toEqual(['key-a', 'key-a']);
  });

  it('removes a deleted row', async () => {
    await find('key-a', [key('a')]);
    cache.apply('keys', [{ id: 'a', keys: ['key=key-a'], row: undefined }]);
    expect(await find('key-a')).toBeNull();
    expect(cache.rowCount).toBe(0);
  });

  it('makes what did not exist exist', async () => {
    await find('key-a');
    cache.apply('keys', [{ id: 'a', keys: ['key=key-a'], row: key('a') }]);
    expect(await find('key-a')).toEqual(key('a'));
  });

  it('lets two rows swap a unique value', async () => {
    cache.replaceAll('keys', [cache.hold(key('a')), cache.hold(key('b'))], true);
    const [a, b] = [
      { id: 'a', key: 'key-b' },
      { id: 'b', key: 'key-a' },
    ];
    cache.apply('keys', [
      { id: 'a', keys: ['key=key-a', 'key=key-b'], row: a },
      { id: 'b', keys: ['key=key-b', 'key=key-a'], row: b },
    ]);
    expect([await find('key-a'), await find('key-b')]).toEqual([b, a]);
  });

  it('during a lookup keeps the answer, which may be older, from being remembered', async () => {
    let answer = (_row: CachedRow | undefined) => {};
    const lookup = cache.find(
      'keys',
      'key',
      'key-a',
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    cache.apply('keys', [{ id: 'a', keys: ['key=key-a'], row: undefined }]);
    const later = find('key-a');
    answer(key('a'));
    expect(await lookup).toEqual(key('a'));
    expect(await later).toBeNull();
    expect(await find('key-a')).toBeNull();
  });
});

it('counts down the seconds a row has left, and knows when it has none', async () => {
  expect(await find('key-a', [key('a', { ttl: 10 })])).toMatchObject({ ttl: 10 });
  nowMs += 3_500;
  expect(await find('key-a')).toMatchObject({ ttl: 7 });
  nowMs += 6_500;
  expect(await find('key-a')).toBeNull();
});
