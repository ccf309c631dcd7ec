/** What is asked of a subject, and the names both the seeding and the load agree on. */

export const SCENARIO_NAMES = ['plain', 'three-plugins'] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** Path of each scenario. Every subject serves both from the same origin. */
export const SCENARIO_PATHS: Readonly<Record<ScenarioName, string>> = {
  plain: '/plain',
  'three-plugins': '/three',
};

export const CONSUMER_NAME = 'bench-consumer';
export const CONSUMER_KEY = 'bench-key';

/** Never reached, so that every request is counted and none is refused. */
export const REQUESTS_PER_MINUTE = 100_000_000;

/** What the upstream answers: 105 bytes. */
export const UPSTREAM_ANSWER = `{"message":"${'the quick brown fox jumps over the lazy dog '.repeat(2).padEnd(91, '.')}"}`;

/** The request headers of a scenario, the same for every subject. */
export function headersOf(scenario: ScenarioName): Readonly<Record<string, string>> {
  return scenario === 'plain' ? {} : { apikey: CONSUMER_KEY };
}
