/** Chooses who serves a port: the fast ingress, unless the port needs what only the strict one can do. */
import type { Ingress, StrictIngressOptions } from './ingress.ts';
import { startNodeIngress } from './node-ingress.ts';
import { startUwsIngress } from './uws-ingress.ts';

export interface ChosenIngressOptions extends StrictIngressOptions {
  /** Asked for by the operator. */
  readonly isStrict: boolean;
}

export function startIngress(options: ChosenIngressOptions): Promise<Ingress> {
  const needsNode = options.isStrict || options.speaksHttp2 === true || options.tls !== undefined;
  return needsNode ? startNodeIngress(options) : startUwsIngress(options);
}
