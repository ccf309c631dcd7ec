/** Makes sure that a subject does the work it is measured for: the right answers before, the metrics after. */
import { setTimeout as delay } from 'node:timers/promises';
import { CONSUMER_NAME, headersOf, SCENARIO_PATHS, type ScenarioName, UPSTREAM_ANSWER } from './scenario.ts';
import { BASELINE, type RunningSubject, type SubjectName } from './subjects/subject.ts';

/** A gateway of several processes may need a moment before a write is served everywhere. */
const PROPAGATION_TIMEOUT_MS = 15_000;
/** Metrics may be gathered once in a few seconds. */
const METRICS_TIMEOUT_MS = 10_000;

/** Throws when the answer is not the upstream's or a plugin did not act. */
export async function checkAnswers(
  name: SubjectName,
  running: RunningSubject,
  scenario: ScenarioName,
): Promise<void> {
  const url = `${running.proxyUrl}${SCENARIO_PATHS[scenario]}`;
  const answer = await fetchUntilOk(url, headersOf(scenario));
  const body = await answer.text();
  if (answer.status !== 200 || body !== UPSTREAM_ANSWER) {
    throw new Error(`${name} answers ${scenario} with ${answer.status}: ${body.slice(0, 200)}`);
  }
  if (scenario !== 'three-plugins' || name === BASELINE) return;
  if (!answer.headers.has('x-ratelimit-remaining-minute')) {
    throw new Error(`${name} answers ${scenario} without X-RateLimit-Remaining-Minute`);
  }
  const refused = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await refused.arrayBuffer();
  if (refused.status !== 401) {
    throw new Error(`${name} answers ${scenario} without a key with ${refused.status}, not 401`);
  }
}

/** Throws unless the metrics count at least as many of the consumer's requests as were answered under load. */
export async function checkMetrics(name: SubjectName, url: string, answered: number): Promise<void> {
  const deadline = Date.now() + METRICS_TIMEOUT_MS;
  let counted = 0;
  while (counted < answered) {
    if (Date.now() > deadline) {
      throw new Error(`${name} counts ${counted} requests of the consumer, ${answered} were answered`);
    }
    await delay(250);
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    counted = countConsumerRequests(await answer.text());
  }
}

/** Sum of the samples of kong_http_requests_total that name the bench's consumer. */
export function countConsumerRequests(metrics: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('kong_http_requests_total{'))
    .filter((line) => line.includes(`consumer="${CONSUMER_NAME}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function fetchUntilOk(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const deadline = Date.now() + PROPAGATION_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
    if (answer.status === 200 || Date.now() > deadline) return answer;
    await answer.arrayBuffer();
    await delay(100);
  }
}
