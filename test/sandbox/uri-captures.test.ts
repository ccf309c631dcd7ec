import { expect, it } from 'vitest';
import { startLane, verdictOf } from './support/start-lane.ts';

it('does not tell a plugin what a pattern has matched unless it declares that it wants to know', async () => {
  const { run, end } = await startLane('unlisted-captures');
  const result = await run('anything');
  end();
  expect(verdictOf(result)).toBe('error');
  expect('outcome' in result && result.outcome.failure?.message).toContain(
    "'unlisted-captures' does not declare 'uriCaptures'",
  );
});
