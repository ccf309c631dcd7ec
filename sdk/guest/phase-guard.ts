/**
 * Puts what a phase does not allow in its place all the same: as functions that say so. Types keep authors from calling
 * them, but not those who write JavaScript. Everything is put there when the bundle is loaded, on the prototypes.
 */
import type { PhaseName } from '../protocol/manifest.ts';
import { PHASE_RULES } from './phase-rules.ts';

interface Viewed {
  readonly call?: { readonly phase: string };
}

const RULES: readonly (readonly [path: string, phases: readonly PhaseName[]])[] = Object.entries(PHASE_RULES);

/** `View` is what handlers find at `kong.<place>`, '' for `kong` itself; it has a `call`. Base classes first. */
export function refuseTheRest(View: { readonly prototype: object }, place: string): void {
  const prefix = place === '' ? '' : `${place}.`;
  for (const [path, phases] of RULES) {
    if (!path.startsWith(prefix)) continue;
    const [name = '', ...inner] = path.slice(prefix.length).split('.');
    if (name in View.prototype) continue;
    if (inner.length === 0) defineRefusal(View.prototype, name, path, phases);
    else defineAbsence(View.prototype, name, `${prefix}${name}`);
  }
}

function defineRefusal(on: object, name: string, path: string, phases: readonly PhaseName[]): void {
  const value = function (this: Viewed | undefined): never {
    const phase = this?.call?.phase ?? 'this';
    throw new TypeError(`kong.${path} cannot be called in ${phase} phase (only in: ${phases.join(', ')})`);
  };
  Object.defineProperty(on, name, { value, writable: true, configurable: true });
}

/** A part of `kong` of which the phase allows nothing. */
function defineAbsence(on: object, name: string, place: string): void {
  class AbsentView {
    readonly call: Viewed['call'];

    constructor(call: Viewed['call']) {
      this.call = call;
    }
  }
  refuseTheRest(AbsentView, place);
  const get = function (this: Viewed): AbsentView {
    return new AbsentView(this.call);
  };
  Object.defineProperty(on, name, { get, configurable: true });
}
