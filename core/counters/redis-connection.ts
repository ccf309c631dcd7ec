/**
 * One connection to Redis, made when it is first needed and made again when it is lost. While it is known to be lost
 * every call fails at once, so that an outage costs only the requests that were waiting when it began; connecting
 * again goes on behind them, one attempt at a time.
 */
import type { Cluster, Redis } from 'ioredis';
import type { RedisSettings } from '../../sdk/protocol/counter-store.ts';
import { createRedisClient, describeRedis, isRedisCluster, timeoutOf } from './create-redis-client.ts';
import type { RedisScript } from './redis-scripts.ts';
import { startDeadline } from './start-deadline.ts';

/** Calls that wait for a connection or an answer; more are refused. */
const MAX_CALLS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
/** A connection that has lasted this long was a good one: the next pause is short again. */
const LASTING_MS = 5000;

export interface RedisEvents {
  /** `server` is hosts and ports. Told once an outage. */
  onLost(server: string, reason: string): void;
  onRecovered(server: string): void;
}

interface Call {
  readonly script: RedisScript;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

type State = 'idle' | 'connecting' | 'ready' | 'lost';

export class RedisConnection {
  /** Hosts and ports, for people. */
  readonly server: string;
  /** Each call may touch one key only. */
  readonly isCluster: boolean;
  readonly #settings: RedisSettings;
  readonly #timeoutMs: number;
  readonly #events: RedisEvents;
  #state: State = 'idle';
  #client: Redis | Cluster | undefined;
  /** Not sent yet. */
  #queue: Call[] = [];
  readonly #sent = new Set<Call>();
  #isFlushScheduled = false;
  #stopWaiting = () => {};
  #pauseTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  #readySinceMs = 0;
  #lastError = '';
  #wasReportedLost = false;
  #lastUsedAtMs = Date.now();

  constructor(settings: RedisSettings, events: RedisEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#timeoutMs = timeoutOf(settings);
    this.server = describeRedis(settings);
    this.isCluster = isRedisCluster(settings);
  }

  /** When it was last called, in ms since the epoch. */
  get lastUsedAtMs(): number {
    return this.#lastUsedAtMs;
  }

  /** Everything called in one turn of the event loop goes out as one pipeline. The error's message is for operators. */
  run(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    this.#lastUsedAtMs = Date.now();
    if (this.#state === 'lost') return Promise.reject(this.#unreachable());
    if (this.#queue.length + this.#sent.size >= MAX_CALLS) {
      return Promise.reject(new Error(`Redis ${this.server}: too many calls are waiting`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ script, keys, args, resolve, reject });
      if (this.#state === 'idle') this.#connect();
      else this.#scheduleFlush();
    });
  }

  /** Calls under way fail. It can be used again afterwards. */
  close(): void {
    clearTimeout(this.#pauseTimer);
    this.#letGo();
    this.#state = 'idle';
    this.#failures = 0;
    this.#wasReportedLost = false;
    this.#failCalls(new Error(`Redis ${this.server}: the connection is closed`));
  }

  #connect(): void {
    if (this.#state !== 'lost') this.#state = 'connecting';
    let client: Redis | Cluster;
    try {
      client = createRedisClient(this.#settings);
    } catch (error) {
      this.#lose(messageOf(error));
      return;
    }
    this.#client = client;
    const loseThis = (reason: string) => {
      if (this.#client === client) this.#lose(reason);
    };
    client.on('error', (error: Error) => {
      this.#lastError = messageOf(error);
    });
    client.on('close', () => loseThis(this.#lastError || 'the connection was closed'));
    client.on('end', () => loseThis(this.#lastError || 'the connection was closed'));
    this.#stopWaiting = startDeadline(this.#timeoutMs, () =>
      loseThis(`no connection within ${this.#timeoutMs} ms`),
    );
    client.connect().then(
      () => {
        if (this.#client === client) this.#beReady();
      },
      (error: unknown) => loseThis(this.#lastError || messageOf(error)),
    );
  }

  #beReady(): void {
    this.#stopWaiting();
    this.#state = 'ready';
    this.#readySinceMs = Date.now();
    this.#lastError = '';
    if (this.#wasReportedLost) {
      this.#wasReportedLost = false;
      this.#events.onRecovered(this.server);
    }
    this.#flush();
  }

  #lose(reason: string): void {
    const hasLasted = this.#state === 'ready' && Date.now() - this.#readySinceMs >= LASTING_MS;
    this.#failures = hasLasted ? 0 : this.#failures + 1;
    this.#letGo();
    this.#state = 'lost';
    this.#lastError = reason;
    this.#failCalls(this.#unreachable());
    if (!this.#wasReportedLost) {
      this.#wasReportedLost = true;
      this.#events.onLost(this.server, reason);
    }
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.#connect(), pauseMs(this.#failures)).unref();
  }

  /** Nothing that the client still says is heard. */
  #letGo(): void {
    this.#stopWaiting();
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    client.removeAllListeners('close').removeAllListeners('end');
    client.disconnect();
  }

  #unreachable(): Error {
    return new Error(`Redis ${this.server} cannot be reached: ${this.#lastError}`);
  }

  #failCalls(error: Error): void {
    const calls = [...this.#sent, ...this.#queue];
    this.#sent.clear();
    this.#queue = [];
    for (const call of calls) call.reject(error);
  }

  /** Behind the turn's own code, so that it finds everything that was called in the turn. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#state !== 'ready') return;
    this.#isFlushScheduled = true;
    queueMicrotask(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const client = this.#client;
    if (client === undefined || this.#state !== 'ready' || this.#queue.length === 0) return;
    const calls = this.#queue;
    this.#queue = [];
    for (const call of calls) this.#sent.add(call);
    const answered = startDeadline(this.#timeoutMs, () => {
      if (this.#client === client) this.#lose(`no answer within ${this.#timeoutMs} ms`);
    });
    void this.#send(client, calls).then(answered);
  }

  /** Never rejects. */
  async #send(client: Redis | Cluster, calls: readonly Call[]): Promise<void> {
    const unknown: Call[] = [];
    const first = await sendAll(client, calls, 'evalsha');
    const unable = first.find(isUnableToCount);
    if (unable !== undefined && this.#client === client) this.#lose((unable as Error).message);
    for (const [at, call] of calls.entries()) {
      if (isUnknownScript(first[at])) unknown.push(call);
      else this.#settle(call, first[at]);
    }
    if (unknown.length === 0) return;
    // The server has been started anew, or it is another one: it learns the script by running it.
    const second = await sendAll(client, unknown, 'eval');
    for (const [at, call] of unknown.entries()) this.#settle(call, second[at]);
  }

  #settle(call: Call, reply: unknown): void {
    if (!this.#sent.delete(call)) return;
    if (reply instanceof Error) call.reject(new Error(`Redis ${this.server}: ${reply.message}`));
    else call.resolve(reply);
  }
}

type Verb = 'eval' | 'evalsha';

/** Replies in the order of the calls, an Error for each that failed. Never rejects. */
async function sendAll(
  client: Redis | Cluster,
  calls: readonly Call[],
  verb: Verb,
): Promise<readonly unknown[]> {
  const argumentsOf = ({ script, keys, args }: Call) =>
    [verb === 'eval' ? script.text : script.sha, keys.length, ...keys, ...args] as const;
  try {
    // A pipeline cannot reach several servers; a cluster's client finds out itself which is to be asked.
    if (client.isCluster) {
      return await Promise.all(calls.map((call) => client[verb](...argumentsOf(call)).catch(asError)));
    }
    const pipeline = client.pipeline();
    for (const call of calls) pipeline[verb](...argumentsOf(call));
    const results = (await pipeline.exec()) ?? [];
    return calls.map((_, at) => results[at]?.[0] ?? results[at]?.[1]);
  } catch (error) {
    return calls.map(() => asError(error));
  }
}

/** It answers, but not as one that counts: it has become a replica, or is still loading. Another one may be found. */
function isUnableToCount(reply: unknown): boolean {
  return reply instanceof Error && /^(?:READONLY|LOADING|MASTERDOWN|NOAUTH)\b/.test(reply.message);
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function messageOf(error: unknown): string {
  return asError(error).message;
}

/** Longer with each failure, and never the same for two workers. */
function pauseMs(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));
  return longest * (0.5 + Math.random() / 2);
}
