/** The declaration of a plugin: the one thing its package exports. */
import type { EntityDefinition } from './define-entity.ts';
import type { Outcome } from './outcome.ts';
import type { AccessKong, LogKong, ResponseKong, RewriteKong } from './phases.ts';
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
  /** When the answer's head is known, whoever made it. */
  response?(kong: ResponseKong, config: InferConfig<Schema>): MaybePromise<Outcome>;
  /** After the client has been answered. A throw is counted and logged. */
  log?(kong: LogKong, config: InferConfig<Schema>): MaybePromise<void>;
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
