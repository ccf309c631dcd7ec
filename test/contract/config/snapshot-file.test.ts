/** The configuration on disk: what was written is read, and nothing else ever is. */
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { EMPTY_SNAPSHOT, type RouteRow } from '../../../core/config/snapshot.ts';
import {
  readSnapshotFile,
  type SavedConfiguration,
  writeSnapshotFile,
} from '../../../core/config/snapshot-file.ts';

const DATABASE = 'db.internal:5432/gateway';
const WRITER = fileURLToPath(new URL('./write-snapshots.ts', import.meta.url));

function makePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snapshot-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'below', 'configuration.snapshot');
}

function describeSaved(rowCount: number): SavedConfiguration {
  const rows = Array.from({ length: rowCount }, (_, at) => ({
    row: { id: `id-${at}`, key: `schlüssel-${at}\n"` },
    expiresAtMs: at % 3 === 0 ? 1_900_000_000_000 + at : Number.POSITIVE_INFINITY,
  }));
  return {
    database: DATABASE,
    position: { sequence: 7, at: '2026-01-01 00:00:00.000001+00' },
    snapshot: {
      ...EMPTY_SNAPSHOT,
      version: 4,
      sequence: 7,
      routes: [{ id: 'r', hosts: ['a.test'] } as unknown as RouteRow],
    },
    held: new Map([
      ['consumers', { isComplete: true, rows: [] }],
      ['keyauth_credentials', { isComplete: false, rows }],
    ]),
  };
}

it.each([0, 1, 1203])('reads what was written, with %d rows', async (count) => {
  const path = makePath();
  await writeSnapshotFile(path, describeSaved(count));
  expect(await readSnapshotFile(path, DATABASE)).toEqual({ kind: 'read', saved: describeSaved(count) });
});

it('is readable by its owner only, and leaves nothing else in its folder', async () => {
  const path = makePath();
  await writeSnapshotFile(path, describeSaved(3));
  await writeSnapshotFile(path, describeSaved(4));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(path, '..'))).toEqual(['configuration.snapshot']);
});

it('says when there is none', async () => {
  expect(await readSnapshotFile(makePath(), DATABASE)).toEqual({ kind: 'none' });
});

it('is not read for another database', async () => {
  const path = makePath();
  await writeSnapshotFile(path, describeSaved(1));
  expect(await readSnapshotFile(path, 'elsewhere:5432/gateway')).toEqual({
    kind: 'unusable',
    reason: `it belongs to the database ${DATABASE}`,
  });
});

it('is not read when a byte of it was changed, taken away or added', async () => {
  const path = makePath();
  await writeSnapshotFile(path, describeSaved(20));
  const whole = readFileSync(path);
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(whole.length - 1), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(whole.length - 1), bit: fc.constant(0) }),
    fc.record({ kind: fc.constant('add' as const), at: fc.nat(whole.length), bit: fc.nat(255) }),
  );
  await fc.assert(
    fc.asyncProperty(damage, async ({ kind, at, bit }) => {
      let bytes = Buffer.from(whole);
      if (kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      if (kind === 'cut') bytes = bytes.subarray(0, at);
      if (kind === 'add')
        bytes = Buffer.concat([whole.subarray(0, at), Buffer.from([bit]), whole.subarray(at)]);
      writeFileSync(path, bytes);
      expect((await readSnapshotFile(path, DATABASE)).kind).toBe('unusable');
    }),
    { numRuns: 400 },
  );
});

it('is not read when it is something else altogether', async () => {
  const path = makePath();
  await writeSnapshotFile(path, describeSaved(0));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      writeFileSync(path, bytes);
      expect((await readSnapshotFile(path, DATABASE)).kind).toBe('unusable');
    }),
  );
});

it('removes what a writer that was killed has left behind long ago', async () => {
  const path = makePath();
  await writeSnapshotFile(path, describeSaved(1));
  const abandoned = `${path}.0b7f.tmp`;
  const recent = `${path}.93aa.tmp`;
  writeFileSync(abandoned, 'half');
  writeFileSync(recent, 'half');
  utimesSync(abandoned, 1_000_000, 1_000_000);
  await writeSnapshotFile(path, describeSaved(1));
  expect(readdirSync(join(path, '..')).sort()).toEqual([
    'configuration.snapshot',
    'configuration.snapshot.93aa.tmp',
  ]);
});

it('is whole whenever its writer is killed', async () => {
  const path = makePath();
  let lastSequence = 0;
  for (let round = 0; round < 12; round++) {
    const writer = fork(WRITER, [path], { stdio: 'ignore' });
    const ended = new Promise((resolve) => writer.once('exit', resolve));
    await new Promise((resolve) => writer.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, round * 7));
    writer.kill('SIGKILL');
    await ended;
    const reading = await readSnapshotFile(path, DATABASE);
    expect(reading.kind).toBe('read');
    if (reading.kind === 'read') lastSequence = Math.max(lastSequence, reading.saved.position.sequence);
  }
  expect(lastSequence).toBeGreaterThan(0);
});
