import { expect, it } from 'vitest';
import { createLogger } from '../../../core/telemetry/logger.ts';

function logTo(lines: unknown[]) {
  return { write: (line: string) => void lines.push(JSON.parse(line)) };
}

it('writes JSON lines with level names, process and role', () => {
  const lines: unknown[] = [];
  createLogger('notice', 'control', logTo(lines)).notice({ port: 8000 }, 'listening');
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'notice',
      pid: process.pid,
      role: 'control',
      port: 8000,
      msg: 'listening',
    }),
  ]);
});

it('leaves out lines below the level it was given', () => {
  const lines: unknown[] = [];
  const logger = createLogger('notice', 'worker', logTo(lines));
  logger.info('no');
  logger.notice('yes');
  logger.warn('yes');
  const quiet = createLogger('crit', 'worker', logTo(lines));
  quiet.error('no');
  quiet.fatal('yes');
  expect(lines).toHaveLength(3);
});

it('blanks out credentials', () => {
  const lines: unknown[] = [];
  createLogger('info', 'worker', logTo(lines)).info({
    password: 'secret',
    headers: { authorization: 'secret', 'proxy-authorization': 'secret', accept: 'seen' },
    request: { headers: { apikey: 'secret' } },
  });
  expect(JSON.stringify(lines)).not.toContain('secret');
  expect(JSON.stringify(lines)).toContain('seen');
});
