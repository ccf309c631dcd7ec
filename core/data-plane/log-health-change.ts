/** Tells the operator of an address that is used no longer, or again. */
import type { HealthChange } from '../balancing/balancer.ts';
import type { GatewayLogger } from '../telemetry/logger.ts';

export function logHealthChange(
  logger: Pick<GatewayLogger, 'warn' | 'notice'>,
  { upstream, address, isHealthy, reason }: HealthChange,
): void {
  const details = { upstream, address, reason };
  if (isHealthy) logger.notice(details, 'an address of an upstream is healthy');
  else logger.warn(details, 'an address of an upstream is unhealthy');
}
