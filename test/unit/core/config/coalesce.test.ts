import { expect, it } from 'vitest';
import { coalesce } from '../../../../core/config/coalesce.ts';

/** A job whose runs end when the test says so. */
function createJob() {
  const runs: { end: () => void; fail: (error: Error) => void }[] = [];
  const job = coalesce(
    () =>
      new Promise<void>((resolve, reject) => {
        runs.push({ end: resolve, fail: reject });
      }),
  );
  return { runs, job };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('serves all calls made during a run by one run that begins after it', async () => {
  const { runs, job } = createJob();
  const first = job();
  await settle();
  const others = [job(), job(), job()];
  await settle();
  expect(runs).toHaveLength(1);
  runs[0]?.end();
  await first;
  await settle();
  expect(runs).toHaveLength(2);
  runs[1]?.end();
  await Promise.all(others);
  expect(runs).toHaveLength(2);
});

it('hands a failure to the callers of that run, and runs again for the next', async () => {
  const { runs, job } = createJob();
  const first = job();
  await settle();
  const second = job();
  runs[0]?.fail(new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  await settle();
  runs[1]?.end();
  await second;
});
