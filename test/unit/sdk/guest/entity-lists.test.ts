/** Lists remembered inside an isolate: like single rows, the empty ones too. */
import { beforeEach, expect, it } from 'vitest';
import {
  invalidateEntities,
  limitEntityCache,
  loadList,
  peekList,
} from '../../../../sdk/guest/entity-cache.ts';
import { settleHostCall, takeFrames } from '../../../../sdk/guest/outbox.ts';

type Row = Readonly<Record<string, unknown>>;

beforeEach(() => {
  limitEntityCache(1000);
  invalidateEntities({ entity: '', id: '', keys: [], withReferences: true, everything: true });
  takeFrames();
});

function askedNumbers(): string[] {
  return [...takeFrames().matchAll(/C 0 \d+\n(\d+)\nentities\.list/g)].map(([, number]) => String(number));
}

async function load(id: string, rows: readonly Row[]): Promise<void> {
  const loading = loadList('groups', 'consumer', id);
  settleHostCall(`${askedNumbers()[0]}\nj${JSON.stringify(rows)}`, false);
  expect(await loading).toEqual(rows);
}

const known = (id: string) => peekList('groups', 'consumer', id);

it('serves a list it has seen, an empty one too, and asks once for what many want', async () => {
  expect(known('a')).toBeUndefined();
  await load('a', [{ id: '1' }, { id: '2' }]);
  await load('b', []);
  expect([known('a'), known('b')]).toEqual([[{ id: '1' }, { id: '2' }], []]);
  void loadList('groups', 'consumer', 'c');
  void loadList('groups', 'consumer', 'c');
  expect(askedNumbers()).toHaveLength(1);
});

it('forgets the lists that a changed row was or is in, and no other', async () => {
  await load('a', []);
  await load('b', [{ id: '1' }]);
  await load('c', [{ id: '2' }]);
  const keys = ['id=1', 'consumer_id=a', 'consumer_id=b'];
  invalidateEntities({ entity: 'groups', id: '1', keys, withReferences: false });
  expect([known('a'), known('b'), known('c')]).toEqual([undefined, undefined, [{ id: '2' }]]);
});

it('forgets lists whose rows refer to one that is gone', async () => {
  await load('a', [{ id: '1', consumer: { id: 'a' } }]);
  invalidateEntities({ entity: 'consumers', id: 'a', keys: [], withReferences: true });
  expect(known('a')).toBeUndefined();
});

it('hands out a list that was overtaken by a change, but does not keep it', async () => {
  const loading = loadList('groups', 'consumer', 'a');
  const [number] = askedNumbers();
  invalidateEntities({ entity: 'groups', id: '1', keys: ['consumer_id=a'], withReferences: false });
  settleHostCall(`${number}\nj[]`, false);
  expect(await loading).toEqual([]);
  expect(known('a')).toBeUndefined();
});

it('keeps a list no longer than the first of its rows lives', async () => {
  await load('a', [{ id: '1' }, { id: '2', ttl: 0 }]);
  expect(known('a')).toBeUndefined();
});
