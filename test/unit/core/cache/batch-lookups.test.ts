import { expect, it } from 'vitest';
import { batchLookups } from '../../../../core/cache/batch-lookups.ts';

/** Questions that are answered when the test says so. */
function createLookup() {
  const questions: { values: readonly string[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const lookup = batchLookups<string>(
    (values) =>
      new Promise((resolve, reject) => {
        const found = values
          .filter((value) => !value.startsWith('no'))
          .map((value) => [value, `row ${value}`] as const);
        questions.push({ values, answer: () => resolve(new Map(found)), fail: reject });
      }),
    { maxValues: 3, maxQuestions: 2 },
  );
  return { questions, lookup };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('asks at once while little is asked for', async () => {
  const { questions, lookup } = createLookup();
  const [a, none] = [lookup('a'), lookup('none')];
  expect(questions.map(({ values }) => values)).toEqual([['a'], ['none']]);
  for (const { answer } of questions) answer();
  expect([await a, await none]).toEqual(['row a', undefined]);
});

it('gathers what is asked for while answers are under way', async () => {
  const { questions, lookup } = createLookup();
  const found = ['a', 'b', 'c', 'c', 'd', 'e', 'f'].map(lookup);
  expect(questions).toHaveLength(2);
  questions[0]?.answer();
  await settle();
  questions[1]?.answer();
  await settle();
  expect(questions.slice(2).map(({ values }) => values)).toEqual([
    ['c', 'd'],
    ['e', 'f'],
  ]);
  for (const { answer } of questions) answer();
  expect(await Promise.all(found)).toEqual(['row a', 'row b', 'row c', 'row c', 'row d', 'row e', 'row f']);
});

it('hands a failure to those who were part of the question, and asks on', async () => {
  const { questions, lookup } = createLookup();
  const [a, b, c] = [lookup('a'), lookup('b'), lookup('c')];
  const failed = expect(a).rejects.toThrow('gone');
  questions[0]?.fail(new Error('gone'));
  await failed;
  await settle();
  for (const { answer } of questions) answer();
  expect([await b, await c]).toEqual(['row b', 'row c']);
});
