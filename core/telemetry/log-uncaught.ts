/** The last words of a process whose failure nobody caught, in its log and without credentials. */
import type { GatewayLogger } from './logger.ts';

const EXIT_FAILURE = 1;

/** Node would print the error with everything a driver hung on it. The process ends all the same, with exit code 1. */
export function logUncaught(logger: GatewayLogger): void {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'the process ends: nothing caught this');
    process.exit(EXIT_FAILURE);
  });
}
