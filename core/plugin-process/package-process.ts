/** One process of a package, from its start to its end. What runs in there is process.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { setPriority } from 'node:os';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { FrameStream } from './frame-stream.ts';
import { type ProcessUsage, readProcessUsage } from './process-usage.ts';
import { type ProcessBoot, WIRE_FD, WORKER_FRAMES } from './wire.ts';

const PROCESS_MODULE = fileURLToPath(new URL('./process.ts', import.meta.url));
const INSTALLATION = fileURLToPath(new URL('../../', import.meta.url));
/** Beside the gateway where it is itself a package: what isolated-vm needs to be found lies there too. */
const PACKAGES = dirname(dirname(createRequire(import.meta.url).resolve('isolated-vm/package.json')));
/** Node.js itself lets it load isolated-vm and read the gateway's sources: no other file, no process, no thread. */
const PERMISSIONS = [
  '--permission',
  '--allow-addons',
  `--allow-fs-read=${INSTALLATION}`,
  `--allow-fs-read=${PACKAGES}`,
  // By which isolated-vm tells which of its binaries fits.
  '--allow-fs-read=/etc/alpine-release',
];
/** What it holds itself is little: calls on their way. */
const SMALL_HEAP = ['--max-semi-space-size=2', '--v8-pool-size=1', '--single-threaded-gc'];
/** The traffic of others goes first; whoever has been convicted gets the CPU when nobody else wants it. */
const USUAL_PRIORITY = 5;
const CONVICT_PRIORITY = 15;

export interface PackageProcessOwner {
  onFrame(kind: string, id: number, payload: string): void;
  /** It has ended, by itself or killed; `reason` says how. Once. */
  onEnd(reason: string): void;
}

export class PackageProcess {
  readonly #child: ChildProcess;
  readonly #wire: FrameStream;
  readonly #owner: PackageProcessOwner;
  #cause: string | undefined;
  #hasEnded = false;

  constructor(boot: ProcessBoot, owner: PackageProcessOwner) {
    this.#owner = owner;
    this.#child = spawn(process.execPath, [...SMALL_HEAP, ...PERMISSIONS, PROCESS_MODULE], {
      // Whoever breaks out of the isolate finds neither secrets in the environment nor a file of the gateway's open.
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    this.#wire = new FrameStream(this.#child.stdio[WIRE_FD] as Duplex, {
      onFrame: (kind, id, payload) => owner.onFrame(kind, id, payload),
      onEnd: (problem) => problem !== undefined && this.kill(problem),
    });
    this.#child.once('error', (error) => this.#end(`it cannot be started: ${error.message}`));
    this.#child.once('exit', (code, signal) => this.#end(this.#cause ?? `ended with ${signal ?? code}`));
    this.#child.unref();
    this.#runAt(USUAL_PRIORITY);
    this.write(WORKER_FRAMES.boot, 0, JSON.stringify(boot));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Bytes that it has not taken yet. */
  get waitingBytes(): number {
    return this.#wire.waitingBytes;
  }

  usage(): ProcessUsage | undefined {
    return this.#hasEnded || this.pid === undefined ? undefined : readProcessUsage(this.pid);
  }

  write(kind: string, id: number, payload: string): void {
    this.#wire.write(kind, id, payload);
  }

  writeEncoded(frame: string): void {
    this.#wire.writeEncoded(frame);
  }

  flush(): void {
    this.#wire.flush();
  }

  /** From now on it runs when nobody else wants to. */
  lowerPriority(): void {
    this.#runAt(CONVICT_PRIORITY);
  }

  #runAt(priority: number): void {
    try {
      if (this.pid !== undefined) setPriority(this.pid, priority);
    } catch {
      // It has ended, or the kernel does not let us: then it competes as before.
    }
  }

  kill(cause: string): void {
    this.#cause ??= cause;
    this.#child.kill('SIGKILL');
  }

  /** Nobody hears of its end any more. */
  dispose(): void {
    this.#hasEnded = true;
    this.#wire.close();
    this.#child.kill('SIGKILL');
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#wire.close();
    this.#owner.onEnd(reason);
  }
}
