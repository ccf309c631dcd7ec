/**
 * One V8 isolate with one bundle in it. The only file that touches isolated-vm: text goes in, text comes out, and
 * no object of the host is ever reachable from inside.
 */
import ivm from 'isolated-vm';
import type { GuestRuntime } from '../../sdk/guest/runtime.ts';
import { CLOCK, TELL_HOST } from '../../sdk/protocol/frames.ts';
import type { PackageBundle } from './bundle-package.ts';
import type { IsolateLimits } from './isolate-limits.ts';
import { withGuestYoungGeneration } from './young-generation.ts';

type GuestFunction = keyof GuestRuntime;

/** Who hears a guest. */
export interface GuestListener {
  /** In the middle of a crossing, once all calls wait or are over; the guest goes on with what is returned. */
  onSaid(text: string): string;
  onCatastrophe(message: string): void;
  /** Around everything that runs in there, where somebody has to know. */
  onEnter?(): void;
  onLeave?(): void;
}

const GUEST_FUNCTIONS: readonly GuestFunction[] = [
  'describe',
  'configure',
  'pump',
  'resume',
  'collectMetrics',
  'selfTest',
  'migrate',
];

/**
 * What is cut short and cannot be run again gets so many times the limit: it counts wall time, and a machine, or a container
 * that has used up its share, may stand still for a moment.
 */
const PATIENCE = 4;

/** Elements that a function of arrays gets through in a moment. */
const MAX_ARRAY_LENGTH = 2 ** 22;

/** Characters of what a guest throws that are worth keeping. */
const MAX_THROWN_LENGTH = 10_000;

/**
 * Run before any code of a plugin. Takes away ways to burn memory outside the heap limit or to wait without a time
 * limit, and fixes what the runtime writes with: replacing it has no effect. Prototypes of arrays, text,
 * promises and patterns stay as they are: V8 runs their functions slower once touched (measured: a tenth of a phase).
 * All but a few of arrays that hardly anybody uses: over a huge array V8 runs them to the end whatever the time limit
 * says, and the library ends the process when that takes five seconds.
 */
const HARDENING = `
  delete globalThis.WebAssembly; delete globalThis.SharedArrayBuffer; delete globalThis.Atomics;
  Object.freeze(JSON);
  Object.defineProperty(globalThis, 'JSON', { writable: false, configurable: false });
  for (const owner of [Map.prototype, WeakMap.prototype]) {
    for (const key of ['get', 'set', 'has', 'delete'])
      Object.defineProperty(owner, key, { writable: false, configurable: false });
  }
  for (const key of ['fill', 'sort', 'toSorted', 'reverse', 'toReversed', 'toSpliced', 'lastIndexOf', 'copyWithin']) {
    const run = Array.prototype[key];
    const { apply } = Reflect;
    Array.prototype[key] = {
      [key](...given) {
        if (this.length > ${MAX_ARRAY_LENGTH}) throw new RangeError('the array is too long');
        return apply(run, this, given);
      },
    }[key];
  }
`;

/**
 * How guests are run. What one throws may have getters, and the library reads thrown objects when no time limit holds any
 * more; so what leaves is text, made within the limit. That is also why code is not run as a script of its own.
 */
const GUARD = `
  (() => {
    const { apply } = Reflect;
    const { slice } = String.prototype;
    const evaluate = eval;
    const textOf = (thrown, name, otherwise) => {
      try {
        const text = (typeof thrown === 'object' && thrown !== null) ? thrown[name] : otherwise ?? thrown;
        return text === undefined ? '' : apply(slice, '' + text, [0, ${MAX_THROWN_LENGTH}]);
      } catch {
        return otherwise ?? 'what it throws cannot be told';
      }
    };
    const guard = (run) => (argument) => {
      try {
        return run(argument);
      } catch (thrown) {
        throw textOf(thrown, 'message') + '\\0' + textOf(thrown, 'stack', '');
      }
    };
    return { guard, load: guard((code) => { evaluate(code); }) };
  })()
`;

/** How a crossing failed. `timeout`: the isolate can be used on. `disposed`: it is gone. `error`: the guest threw. */
export type CrossingFailureKind = 'timeout' | 'disposed' | 'error';

export class CrossingError extends Error {
  readonly kind: CrossingFailureKind;

  constructor(kind: CrossingFailureKind, cause: unknown) {
    super(`${kind}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'CrossingError';
    this.kind = kind;
  }
}

export class PluginIsolate {
  readonly #isolate: ivm.Isolate;
  readonly #functions = new Map<GuestFunction, ivm.Reference>();
  readonly #pump: ivm.Reference;
  readonly #pumpOptions: { readonly timeout: number };
  readonly #patientOptions: { readonly timeout: number };
  readonly #loadTimeoutMs: number;
  readonly #listener: GuestListener;
  /** As last seen: an isolate that is gone cannot be asked. */
  #cpuTimeNs = 0n;

  /** Loads the bundle. Throws CrossingError when it does not load within its limits. */
  constructor(bundle: PackageBundle, limits: IsolateLimits, listener: GuestListener) {
    this.#isolate = withGuestYoungGeneration(
      () =>
        new ivm.Isolate({
          memoryLimit: limits.memoryMb,
          onCatastrophicError: (message) => listener.onCatastrophe(message),
        }),
    );
    this.#pumpOptions = { timeout: limits.crossingTimeoutMs };
    this.#patientOptions = { timeout: limits.crossingTimeoutMs * PATIENCE };
    this.#loadTimeoutMs = limits.loadTimeoutMs;
    this.#listener = listener;
    listener.onEnter?.();
    try {
      const context = this.#isolate.createContextSync();
      const tell = new ivm.Callback((text: unknown) => listener.onSaid(String(text)));
      context.global.setSync(TELL_HOST, tell);
      context.global.setSync(CLOCK, new ivm.Callback(() => performance.now()));
      context.evalSync(HARDENING, { timeout: limits.loadTimeoutMs });
      const guard = context.evalSync(GUARD, { reference: true });
      const code = `${bundle.code}\n//# sourceURL=${bundle.name}.js`;
      guard
        .getSync('load', { reference: true })
        .applySync(undefined, [code], { timeout: limits.loadTimeoutMs });
      const runtime = context.global.getSync('tollgate', { reference: true });
      const guardFunction = guard.getSync('guard', { reference: true });
      for (const name of GUEST_FUNCTIONS) {
        const given = runtime.getSync(name, { reference: true });
        if (given.typeof !== 'function') continue;
        const guarded = guardFunction.applySync(undefined, [given.derefInto()], {
          result: { reference: true },
        });
        this.#functions.set(name, guarded as ivm.Reference);
      }
      this.#pump = this.#functions.get('pump') as ivm.Reference;
    } catch (error) {
      const failure = this.#describe(error);
      this.dispose();
      throw failure;
    } finally {
      listener.onLeave?.();
    }
  }

  get isDisposed(): boolean {
    return this.#isolate.isDisposed;
  }

  /** CPU time spent in the isolate since it was made, in nanoseconds. */
  get cpuTimeNs(): bigint {
    if (!this.#isolate.isDisposed) this.#cpuTimeNs = this.#isolate.cpuTime;
    return this.#cpuTimeNs;
  }

  get heapBytes(): number {
    return this.#isolate.isDisposed ? 0 : this.#isolate.getHeapStatisticsSync().used_heap_size;
  }

  /** One crossing of the request path; what the guest has to say the listener hears meanwhile. Throws CrossingError. */
  pump(frames: string, isPatient = false): void {
    this.#listener.onEnter?.();
    try {
      const said = this.#pump.applySync(
        undefined,
        [frames],
        isPatient ? this.#patientOptions : this.#pumpOptions,
      );
      if (said !== '') this.#listener.onSaid(String(said));
    } catch (error) {
      throw this.#describe(error);
    } finally {
      this.#listener.onLeave?.();
    }
  }

  /** Whether the guest has this function: bundles of earlier versions of the SDK lack some. */
  has(name: GuestFunction): boolean {
    return this.#functions.has(name);
  }

  /** A crossing outside the request path. Throws CrossingError. */
  call(name: GuestFunction, argument?: string | number): string | number {
    return this.#call(name, argument, this.#loadTimeoutMs);
  }

  /** Frames that a crossing had begun with when it was cut. A guest that does not even say that is given no more time. */
  resume(): number {
    return Number(this.#call('resume', undefined, this.#pumpOptions.timeout));
  }

  #call(name: GuestFunction, argument: string | number | undefined, timeout: number): string | number {
    this.#listener.onEnter?.();
    try {
      const args = argument === undefined ? [] : [argument];
      const reference = this.#functions.get(name) as ivm.Reference;
      return reference.applySync(undefined, args, { timeout }) as string | number;
    } catch (error) {
      throw this.#describe(error);
    } finally {
      this.#listener.onLeave?.();
    }
  }

  dispose(): void {
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }

  #describe(error: unknown): CrossingError {
    if (this.#isolate.isDisposed) return new CrossingError('disposed', error);
    const isTimeout = error instanceof Error && error.message.includes('timed out');
    const cause = typeof error === 'string' ? readThrown(error) : error;
    return new CrossingError(isTimeout ? 'timeout' : 'error', cause);
  }
}

/** Message and stack, as the guard of a guest tells them: text, whatever was thrown. */
function readThrown(text: string): Error {
  const messageEnd = text.indexOf('\0');
  const error = new Error(text.slice(0, messageEnd));
  error.stack = text.slice(messageEnd + 1) || error.message;
  return error;
}
