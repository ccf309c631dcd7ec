/** Lists of the rows of one parent: read from what is held where that is all there is, else held one by one. */
import { beforeEach, expect, it } from 'vitest';
import { type CachedRow, RowCache } from '../../../../core/cache/row-cache.ts';

const ENTITIES = [
  { name: 'groups', uniqueFields: [], listedBy: ['consumer'] },
  { name: 'keys', uniqueFields: ['key'] },
];

let nowMs: number;
let cache: RowCache;
let asked: number;

beforeEach(() => {
  nowMs = 1_000_000;
  asked = 0;
  cache = new RowCache(ENTITIES, { maxRows: 10, maxMisses: 3 }, () => nowMs);
});

const group = (id: string, consumer: string, more: Record<string, unknown> = {}): CachedRow => ({
  id,
  consumer: { id: consumer },
  ...more,
});

/** Ids of the rows of a consumer, of a database that holds `rows`. */
async function list(consumer: string, rows: readonly CachedRow[] = []): Promise<string[]> {
  const found = await cache.list('groups', 'consumer', consumer, async () => {
    asked++;
    return rows.filter((row) => (row['consumer'] as { id: string }).id === consumer);
  });
  return found.map(({ id }) => id);
}

const change = (id: string, consumers: readonly string[], row?: CachedRow) =>
  cache.apply('groups', [{ id, keys: consumers.map((consumer) => `consumer_id=${consumer}`), row }]);

it('asks once for a list, an empty one too', async () => {
  const rows = [group('1', 'a'), group('2', 'a')];
  expect([await list('a', rows), await list('a'), await list('b', rows), await list('b', rows)]).toEqual([
    ['1', '2'],
    ['1', '2'],
    [],
    [],
  ]);
  expect(asked).toBe(2);
});

it('asks once for all who want the same list at once', async () => {
  await Promise.all([list('a'), list('a'), list('a')]);
  expect(asked).toBe(1);
});

it('asks anew for the list that a row left and the one it came to', async () => {
  await Promise.all([list('a', [group('1', 'a')]), list('b'), list('c')]);
  change('1', ['a', 'b'], group('1', 'b'));
  const rows = [group('1', 'b')];
  expect([await list('a', rows), await list('b', rows), await list('c', rows)]).toEqual([[], ['1'], []]);
  expect(asked).toBe(5);
});

it('does not keep a list that was overtaken by a change', async () => {
  let answer = (_rows: readonly CachedRow[]) => {};
  const overtaken = cache.list('groups', 'consumer', 'a', () => new Promise((resolve) => (answer = resolve)));
  change('1', ['a']);
  answer([group('1', 'a')]);
  expect(await overtaken).toHaveLength(1);
  expect(await list('a')).toEqual([]);
});

it('asks nobody where every row is held, and follows changes', async () => {
  const held = [group('1', 'a'), group('2', 'b')].map((row) => cache.hold(row));
  cache.replaceAll('groups', held, true);
  expect([await list('a'), await list('b'), await list('nobody')]).toEqual([['1'], ['2'], []]);
  change('3', ['a'], group('3', 'a'));
  change('2', ['b', 'a'], group('2', 'a'));
  change('1', ['a']);
  expect([await list('a'), await list('b')]).toEqual([['3', '2'], []]);
  expect(asked).toBe(0);
});

it('asks again once other rows have pushed some out', async () => {
  cache.replaceAll('groups', [cache.hold(group('1', 'a'))], true);
  const keys = Array.from({ length: 10 }, (_, at) => cache.hold({ id: `k${at}`, key: `k${at}` }));
  cache.replaceAll('keys', keys, true);
  change('2', ['a'], group('2', 'a'));
  expect(await list('a', [group('1', 'a'), group('2', 'a')])).toEqual(['1', '2']);
});

it('leaves out rows whose time is over', async () => {
  const rows = [group('1', 'a', { ttl: 5 }), group('2', 'a')];
  expect(await list('a', rows)).toEqual(['1', '2']);
  nowMs += 5000;
  expect(await list('a')).toEqual(['2']);
});

it('hands a failure to whoever asked, and lists by declared references alone', async () => {
  const failing = cache.list('groups', 'consumer', 'a', () => Promise.reject(new Error('gone')));
  await expect(failing).rejects.toThrow('gone');
  expect(await list('a')).toEqual([]);
  expect(() => cache.list('keys', 'consumer', 'a', async () => [])).toThrow('not listed by');
});
