/**
 * Time inside an isolate under test. Scripts around the bundle put a clock of ours in the place of Date's; it is set
 * with each configuration, so that neither the guest's runtime nor the sandbox has to know of it.
 */
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';

/** To be run before the bundle: modules may ask for the time while they are loaded. */
export function clockBanner(nowMs: number): string {
  return `
let tollgateTestNowMs = ${nowMs};
globalThis.Date = new Proxy(Date, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length > 0 ? values : [tollgateTestNowMs], newTarget),
  apply: (target) => new target(tollgateTestNowMs).toString(),
  get: (target, key) => (key === 'now' ? () => tollgateTestNowMs : Reflect.get(target, key)),
});
Date.prototype.constructor = Date;`;
}

/** To be run behind it. */
export const CLOCK_FOOTER = `
{
  const { configure } = globalThis.tollgate;
  globalThis.tollgate.configure = (json) => {
    tollgateTestNowMs = JSON.parse(json).configuration.testNowMs ?? tollgateTestNowMs;
    return configure(json);
  };
}`;

/** A configuration that sets the clock when the guest takes it in. */
export function withClock(configuration: GuestConfiguration, nowMs: number): GuestConfiguration {
  const timed: GuestConfiguration & { readonly testNowMs: number } = { ...configuration, testNowMs: nowMs };
  return timed;
}
