/** Rows remembered inside an isolate: what is asked once, what is forgotten when, and how many there may be. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  forgetLookups,
  invalidateEntities,
  limitEntityCache,
  loadEntity,
  peekEntity,
} from '../../../../sdk/guest/entity-cache.ts';
import { settleHostCall, takeFrames } from '../../../../sdk/guest/outbox.ts';

type Row = Readonly<Record<string, unknown>> | null;

/** Keys are unique to a test: the cache is one for the isolate. */
let round = 0;
beforeEach(() => {
  limitEntityCache(1000);
  takeFrames();
  round++;
});

const keyOf = (name: string) => `${name}-${round}`;

/** Numbers of the host calls made since the last look. */
function askedNumbers(): number[] {
  return [...takeFrames().matchAll(/C 0 \d+\n(\d+)\nentities\.find/g)].map(([, number]) => Number(number));
}

function answer(number: number | undefined, row: Row): void {
  settleHostCall(`${number}\nj${JSON.stringify(row)}`, false);
}

async function load(value: string, row: Row, entity = 'keys'): Promise<Row> {
  const loading = loadEntity(entity, 'key', value);
  answer(askedNumbers()[0], row);
  return loading;
}

function change(id: string, keys: readonly string[] = [], withReferences = false, entity = 'keys'): void {
  invalidateEntities({ entity, id, keys, withReferences });
}

describe('the cache of rows', () => {
  it('serves a row it has seen, and asks once for what many want', async () => {
    const value = keyOf('a');
    expect(peekEntity('keys', 'key', value)).toBeUndefined();
    const both = [loadEntity('keys', 'key', value), loadEntity('keys', 'key', value)];
    const numbers = askedNumbers();
    expect(numbers).toHaveLength(1);
    answer(numbers[0], { id: '1' });
    expect(await Promise.all(both)).toEqual([{ id: '1' }, { id: '1' }]);
    expect(peekEntity('keys', 'key', value)).toEqual({ id: '1' });
    expect(peekEntity('keys', 'other', value)).toBeUndefined();
  });

  it('remembers that there is no row, unless the value is long', async () => {
    await load(keyOf('none'), null);
    expect(peekEntity('keys', 'key', keyOf('none'))).toBeNull();
    const long = keyOf('x'.repeat(600));
    await load(long, null);
    expect(peekEntity('keys', 'key', long)).toBeUndefined();
  });

  it('forgets rows by key, by id and by what they refer to', async () => {
    await load(keyOf('a'), { id: 'a' });
    await load(keyOf('b'), { id: 'b', consumer: { id: 'c' } });
    await load(keyOf('d'), null);
    change('unknown', [`key=${keyOf('d')}`]);
    expect(peekEntity('keys', 'key', keyOf('d'))).toBeUndefined();
    change('a');
    expect(peekEntity('keys', 'key', keyOf('a'))).toBeUndefined();
    change('c', [], false, 'consumers');
    expect(peekEntity('keys', 'key', keyOf('b'))).toEqual({ id: 'b', consumer: { id: 'c' } });
    change('c', [], true, 'consumers');
    expect(peekEntity('keys', 'key', keyOf('b'))).toBeUndefined();
  });

  it('splits a changed key at its first equals sign', async () => {
    const value = keyOf('a=b=');
    await load(value, { id: 'a' });
    change('other', [`key=${value}`]);
    expect(peekEntity('keys', 'key', value)).toBeUndefined();
  });

  it('hands out an answer that was overtaken by a change, but does not keep it', async () => {
    const value = keyOf('a');
    const loading = loadEntity('keys', 'key', value);
    const [first] = askedNumbers();
    change('some row');
    const again = loadEntity('keys', 'key', value);
    const [second] = askedNumbers();
    answer(first, { id: 'stale' });
    expect(await loading).toEqual({ id: 'stale' });
    expect(peekEntity('keys', 'key', value)).toBeUndefined();
    answer(second, { id: 'fresh' });
    expect(await again).toEqual({ id: 'fresh' });
    expect(peekEntity('keys', 'key', value)).toEqual({ id: 'fresh' });
  });

  it('forgets all rows, misses and lookups under way when everything may have changed', async () => {
    await load(keyOf('a'), { id: 'a' });
    await load(keyOf('none'), null, 'other');
    const underWay = loadEntity('keys', 'key', keyOf('b'));
    const [asked] = askedNumbers();
    invalidateEntities({ entity: '', id: '', keys: [], withReferences: true, everything: true });
    answer(asked, { id: 'b' });
    expect(await underWay).toEqual({ id: 'b' });
    expect(peekEntity('keys', 'key', keyOf('a'))).toBeUndefined();
    expect(peekEntity('other', 'key', keyOf('none'))).toBeUndefined();
    expect(peekEntity('keys', 'key', keyOf('b'))).toBeUndefined();
  });

  it('asks anew after a failure and after lookups were forgotten', async () => {
    const value = keyOf('a');
    const failing = loadEntity('keys', 'key', value);
    settleHostCall(`${askedNumbers()[0]}\nno database`, true);
    await expect(failing).rejects.toThrow('no database');
    void loadEntity('keys', 'key', value);
    expect(askedNumbers()).toHaveLength(1);
    forgetLookups();
    void loadEntity('keys', 'key', value);
    expect(askedNumbers()).toHaveLength(1);
  });

  it('does not keep a row beyond its time to live', async () => {
    await load(keyOf('a'), { id: 'a', ttl: 0 });
    expect(peekEntity('keys', 'key', keyOf('a'))).toBeUndefined();
  });

  it('keeps no more than it may, and what is asked for again longest', async () => {
    limitEntityCache(10);
    for (let at = 0; at < 50; at++) {
      await load(keyOf(`${at}`), { id: `${at}` });
      expect(peekEntity('keys', 'key', keyOf('0'))).toEqual({ id: '0' });
    }
    const kept = Array.from({ length: 50 }, (_, at) => peekEntity('keys', 'key', keyOf(`${at}`)));
    expect(kept.filter((row) => row !== undefined).length).toBeLessThanOrEqual(10);
  });
});
