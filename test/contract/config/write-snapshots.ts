/** Writes the snapshot file named by its argument again and again, until it is killed. */
import { EMPTY_SNAPSHOT } from '../../../core/config/snapshot.ts';
import { writeSnapshotFile } from '../../../core/config/snapshot-file.ts';

const [path = ''] = process.argv.slice(2);
const rows = Array.from({ length: 2000 }, (_, at) => ({
  row: { id: `id-${at}`, key: `key-${at}` },
  expiresAtMs: Number.POSITIVE_INFINITY,
}));
for (let sequence = 1; ; sequence++) {
  await writeSnapshotFile(path, {
    database: 'db.internal:5432/gateway',
    position: { sequence, at: '' },
    snapshot: { ...EMPTY_SNAPSHOT, sequence },
    held: new Map([['keyauth_credentials', { isComplete: true, rows }]]),
  });
  if (sequence === 1) process.send?.('the first is written');
}
