import { expect, it } from 'vitest';
import { HealthCell, makeHealthMemory } from '../../../../core/balancing/health-cell.ts';

const createCell = () => new HealthCell(makeHealthMemory());

it('begins healthy, and is not after as many failures of a kind as the limit says', () => {
  const cell = createCell();
  expect(cell.isHealthy).toBe(true);
  expect([cell.noteFailure('timeouts', 2), cell.noteFailure('tcp_failures', 2)]).toEqual([false, false]);
  expect(cell.noteFailure('timeouts', 2)).toBe(true);
  expect(cell.isHealthy).toBe(false);
  expect(cell.noteFailure('timeouts', 2)).toBe(false);
});

it('counts nothing where the limit is 0', () => {
  const cell = createCell();
  for (let at = 0; at < 10; at++) expect(cell.noteFailure('http_failures', 0)).toBe(false);
  expect(cell.isHealthy).toBe(true);
  cell.set(false);
  for (let at = 0; at < 10; at++) expect(cell.noteSuccess(0)).toBe(false);
  expect(cell.isHealthy).toBe(false);
});

it('forgets failures with a success, and successes with a failure', () => {
  const cell = createCell();
  cell.noteFailure('tcp_failures', 2);
  expect(cell.noteSuccess(1)).toBe(false);
  expect(cell.noteFailure('tcp_failures', 2)).toBe(false);
  expect(cell.noteFailure('tcp_failures', 2)).toBe(true);
  cell.noteSuccess(2);
  cell.noteFailure('tcp_failures', 2);
  expect(cell.noteSuccess(2)).toBe(false);
  expect(cell.noteSuccess(2)).toBe(true);
  expect(cell.isHealthy).toBe(true);
});

it('starts counting anew when it is set by hand, and tells whether that changed anything', () => {
  const cell = createCell();
  cell.noteFailure('tcp_failures', 2);
  expect([cell.set(true), cell.noteFailure('tcp_failures', 2)]).toEqual([false, false]);
  expect([cell.set(false), cell.set(false), cell.isHealthy]).toEqual([true, false, false]);
});

it('is the same for all who hold its memory', () => {
  const memory = makeHealthMemory();
  const [one, two] = [new HealthCell(memory), new HealthCell(memory)];
  one.noteFailure('timeouts', 2);
  expect(two.noteFailure('timeouts', 2)).toBe(true);
  expect(one.isHealthy).toBe(false);
});
