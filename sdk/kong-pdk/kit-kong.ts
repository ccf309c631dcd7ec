/**
 * `kong` as plugins of the kit know it: every call gives a promise, awaited or not. A call that fails in vain, because
 * nobody waits for it, fails the phase: a plugin that could not refuse a client has not let it in.
 */
import { isChange, KIT_CALLS } from './kit-calls.ts';

/** One phase of one request, and what has gone wrong in it without anybody looking. */
export class KitPhase {
  readonly #kong: object;
  readonly #failures: FailedCall[] = [];
  #hasEnded = false;

  constructor(kong: object) {
    this.#kong = kong;
  }

  get kong(): object {
    return this.#part(this.#kong, '');
  }

  /** Throws what a call has thrown that nobody has heard of. */
  throwUnheard(): void {
    const unheard = this.#failures.find(({ isHeard }) => !isHeard);
    if (unheard !== undefined) throw unheard.reason;
  }

  /** Members are looked up when they are asked for: the phase decides what there is. */
  #part(part: unknown, place: string): object {
    return new Proxy(Object.create(null) as object, {
      get: (_, name) => {
        // Whoever awaits `kong.request` gets it, and does not wait for ever.
        if (typeof name !== 'string' || name === 'then') return undefined;
        const path = place === '' ? name : `${place}.${name}`;
        const found = KIT_CALLS[path] ?? (part as Readonly<Record<string, unknown>> | undefined)?.[name];
        const isPart = path === 'ctx.shared' || path === 'log' || typeof found !== 'function';
        if (isPart && (isObject(found) || isPlace(path))) return this.#part(found, path);
        return (...given: readonly unknown[]) => this.#call(path, part, found, given);
      },
    });
  }

  #call(path: string, part: unknown, found: unknown, given: readonly unknown[]): PromiseLike<unknown> {
    if (this.#hasEnded && isChange(path)) return Promise.resolve(undefined);
    try {
      if (typeof found !== 'function') throw new TypeError(`kong.${path} is not there`);
      const known = KIT_CALLS[path];
      const result: unknown = known === undefined ? found.apply(part, given) : known(this.#kong, ...given);
      if (path === 'response.exit' || path === 'response.error') this.#hasEnded = true;
      return Promise.resolve(result);
    } catch (error) {
      const failed = new FailedCall(error);
      this.#failures.push(failed);
      return failed;
    }
  }
}

/** Like a promise that has been rejected, but it knows whether anybody listens. */
class FailedCall implements PromiseLike<never> {
  readonly reason: unknown;
  isHeard = false;

  constructor(reason: unknown) {
    this.reason = reason;
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise
  then<Result = never, Caught = never>(
    onFulfilled?: ((value: never) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Result | Caught> {
    this.isHeard = true;
    return Promise.reject(this.reason).then(onFulfilled, onRejected);
  }

  catch<Caught>(onRejected: (reason: unknown) => Caught | PromiseLike<Caught>): Promise<Caught> {
    return this.then(undefined, onRejected);
  }

  finally(onSettled: () => void): Promise<never> {
    this.isHeard = true;
    return Promise.reject(this.reason).finally(onSettled) as Promise<never>;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Parts of `kong` in the kit that are none of ours. */
function isPlace(path: string): boolean {
  return Object.keys(KIT_CALLS).some((known) => known.startsWith(`${path}.`));
}
