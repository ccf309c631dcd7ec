/** The declaration of a plugin: the one thing its package exports. */
import type { BackgroundKong, BatchKong, Timer } from './background.ts';
import type { Transformation } from './body-transform.ts';
import type { EntityDefinition } from './define-entity.ts';
import type { Outcome } from './outcome.ts';
import type {
  AccessKong,
  LogKong,
  ResponseKong,
  RewriteKong,
  TransformRequestKong,
  TransformResponseKong,
} from './phases.ts';
import type { Capabilities, MetricDeclaration, PluginScope } from './protocol/manifest.ts';
import type { RecordField } from './schema/fields.ts';
import type { InferConfig } from './schema/infer.ts';

type MaybePromise<Value> = Value | Promise<Value>;

/** All there is to a plugin: what the Admin API says of it, and its handlers. */
export interface PluginDefinition<Schema extends RecordField = RecordField> {
  /** Name in the Admin API: lower case letters, digits and `-`. */
  readonly name: string;
  /** Further names accepted on input. */
  readonly aliases?: readonly string[];
  /** `x.y.z`. */
  readonly version: string;
  /** Higher runs first. Authentication 1000–2000, everything else by convention 1–1000. */
  readonly priority: number;
  /** Made with `s.config({ … })`; gives the handlers' `config` its type. */
  readonly schema: Schema;
  /** Default: every scope. */
  readonly scopes?: readonly PluginScope[];
  /** Protocols an instance may be given. Default: grpc, grpcs, http, https. */
  readonly protocols?: readonly string[];
  /** Those it is given where nobody says. Default: those of HTTP among `protocols`. */
  readonly defaultProtocols?: readonly string[];
  readonly capabilities?: Capabilities;
  /** Rows of its own, which it may look up without a capability. Only for packages that are published. */
  readonly entities?: readonly EntityDefinition[];
  readonly metrics?: Readonly<Record<string, MetricDeclaration>>;
  /**
   * Default `full`. With `summary`, `log` sees the outcome, the route and the consumer, but neither the request nor
   * headers of answers, and costs far less.
   */
  readonly logRecord?: 'summary' | 'full';
  /**
   * Member of the configuration without which `response` has nothing to do: routes on which no instance sets it, or
   * only to false, are spared the phase.
   */
  readonly responseNeeds?: string;

  /**
   * Run once, before a published version gets any traffic: a throw refuses it. There is no request and no `kong` yet,
   * and nothing to wait for.
   */
  selfTest?(): void;
  /**
   * Before the request is routed, for instances that are attached to nothing: method, path and headers as it leaves them
   * decide the route. Return `kong.response.exit(…)` or `.error(…)` to answer. A throw answers 500.
   */
  rewrite?(kong: RewriteKong, config: InferConfig<Schema>): MaybePromise<Outcome>;
  /** Before the upstream. Return `kong.response.exit(…)` or `.error(…)` to answer. A throw answers 500. */
  access?(kong: AccessKong, config: InferConfig<Schema>): MaybePromise<Outcome>;
  /**
   * When the client's body is about to go to the service: return what is to be done to it, or nothing to let it pass. Not
   * asked where there is no body. A throw, now or in the middle, answers 500. The service gets the body in chunks.
   */
  transformRequest?(kong: TransformRequestKong, config: InferConfig<Schema>): MaybePromise<Transformation>;
  /** When the answer's head is known, whoever made it. */
  response?(kong: ResponseKong, config: InferConfig<Schema>): MaybePromise<Outcome>;
  /**
   * Behind `response`, when the body of the service's answer is about to go to the client: return what is to be done to it,
   * or nothing to let it pass. Not asked for HEAD, 204 and 304, nor for what plugins or the gateway answer. The answer
   * then goes out in chunks, without a Content-Length. A throw now answers 500; in the middle it cuts the connection.
   */
  transformResponse?(kong: TransformResponseKong, config: InferConfig<Schema>): MaybePromise<Transformation>;
  /** After the client has been answered. A throw is counted and logged. */
  log?(kong: LogKong, config: InferConfig<Schema>): MaybePromise<void>;

  /**
   * What one instance has queued with `kong.queue.push`, the earliest first: up to `max_batch_size` entries, once there are
   * so many or the first has waited for `max_coalescing_delay`. A throw has the same batch come again, until
   * `max_retry_time` has passed. It may also come again when the isolate dies over it: do not count on exactly once.
   */
  onBatch?(kong: BatchKong, entries: readonly unknown[], config: InferConfig<Schema>): MaybePromise<void>;
  readonly timers?: readonly Timer<InferConfig<Schema>>[];
  /**
   * In each worker before the first request of a configuration, whenever those of the enabled instances are others than
   * before, and in a new isolate. Requests do not wait for its promise. A throw is logged.
   */
  configure?(kong: BackgroundKong, configs: readonly InferConfig<Schema>[]): MaybePromise<void>;
}

/**
 * Declares a plugin. Does nothing but carry types: what is wrong with a definition is said when it is loaded.
 *
 * @example
 * export default definePlugin({
 *   name: 'hello', version: '1.0.0', priority: 10,
 *   schema: s.config({ message: s.string({ default: 'hello' }) }),
 *   access(kong, config) {
 *     kong.response.setHeader('x-hello', config.message);
 *   },
 * });
 */
export function definePlugin<const Schema extends RecordField>(
  definition: PluginDefinition<Schema>,
): PluginDefinition<Schema> {
  return definition;
}
