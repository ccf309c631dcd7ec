/** Where a guest wants spans sent: understood, or refused with a reason. */
import { describe, expect, it } from 'vitest';
import { parseExportTargets } from '../../../../../core/telemetry/tracing/export-target.ts';

const TARGET = {
  endpoint: 'http://collector:4318/v1/traces',
  headers: {},
  resourceAttributes: {},
  timeoutMs: 11_000,
  maxBatchSize: 200,
  maxDelayMs: 1000,
  maxQueueSize: 10_000,
  maxRetryMs: 60_000,
  retryDelayMs: 10,
  maxRetryDelayMs: 60_000,
};
const parse = (changes: Readonly<Record<string, unknown>>) =>
  parseExportTargets(JSON.stringify({ traces: { ...TARGET, ...changes } })).traces;

describe('an endpoint', () => {
  it.each([
    ['http://collector:4318/v1/traces', 'http', 'http://collector:4318/v1/traces'],
    ['https://collector/x?y=1', 'http', 'https://collector/x?y=1'],
    ['grpc://collector:4317', 'grpc', 'http://collector:4317'],
    ['grpcs://collector:4317/ignored', 'grpc', 'https://collector:4317'],
  ])('%s is understood', (endpoint, protocol, url) => {
    expect(parse({ endpoint })).toMatchObject({ protocol, url });
  });

  it.each(['', 'collector:4317', 'file:///etc/passwd', 'unix:/run/x', 'grpc:', 7, null])(
    '%j is refused',
    (endpoint) => {
      expect(() => parse({ endpoint })).toThrow(TypeError);
    },
  );
});

it('keeps numbers within what timers and queues can take', () => {
  expect(parse({ maxDelayMs: 1e300, maxBatchSize: 0, retryDelayMs: -1 })).toMatchObject({
    maxDelayMs: 2 ** 31 - 1,
    maxBatchSize: 1,
    retryDelayMs: 1,
  });
});

it.each([
  { headers: { 'bad name': 'x' } },
  { headers: { good: 'a\r\nb' } },
  { headers: { good: 1 } },
  { headers: null },
  { resourceAttributes: { a: {} } },
  { timeoutMs: '5' },
  { maxQueueSize: undefined },
])('refuses %j', (changes) => {
  expect(() => parse(changes)).toThrow(TypeError);
});

it.each(['', '{', 'null', '1', '{"traces":1}', '{"logs":{}}'])('refuses %j', (json) => {
  expect(() => parseExportTargets(json)).toThrow();
});
