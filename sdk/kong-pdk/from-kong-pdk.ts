/** Plugins written for Kong's JavaScript kit, `kong-pdk`, as plugins here. Source: contract/pdk.md sections 3 and 7.2. */
import type { PluginDefinition } from '../define-plugin.ts';
import type { Exit } from '../outcome.ts';
import { convertSchema, type KitSchema } from './convert-schema.ts';
import { KitPhase } from './kit-kong.ts';

/** What a module of the kit exports. */
export interface KitModule {
  /** Made once for each configuration, with a copy of it. Methods are phases. */
  readonly Plugin: new (
    config: never,
  ) => object;
  /** Default: no fields. */
  readonly Schema?: KitSchema;
  readonly Version: string;
  /** Default 0. */
  readonly Priority?: number;
  /** The kit takes the file's name where there is none; here it is needed, unless the options have one. */
  readonly Name?: string;
}

/** What the kit does not know, and what stands in for what is missing in the module. */
export type PortingOptions = Partial<
  Pick<
    PluginDefinition,
    | 'name'
    | 'aliases'
    | 'scopes'
    | 'protocols'
    | 'defaultProtocols'
    | 'capabilities'
    | 'logRecord'
    | 'metrics'
  >
>;

const PHASES = ['rewrite', 'access', 'response', 'log'] as const;
/** A plugin that does something there would do nothing here. */
const ABSENT_PHASES = ['certificate', 'preread'];

type KitHandler = (kong: object) => unknown;

/**
 * Wraps a module of the kit. Its plugin may read and replace bodies, the service's where it has a `response`, and more if
 * the options say so. Unlike there, what a phase throws is not passed over: in `rewrite` and `access` the client gets 500.
 * Throws TypeError on phases, fields and rules that have no counterpart here.
 *
 * @example
 * import plugin from './plugin.cjs';
 * export default fromKongPdk(plugin, { name: 'hello' });
 */
export function fromKongPdk(module: KitModule, options: PortingOptions = {}): PluginDefinition {
  const { Plugin, Schema = [], Version, Priority = 0, Name } = module;
  const name = (options.name ?? Name)?.toLowerCase();
  if (name === undefined) throw new TypeError('a plugin of the kit without a Name needs one in the options');
  const methods = Plugin.prototype as Readonly<Record<string, unknown>>;
  const has = (phase: string) => typeof methods[phase] === 'function';
  const absent = ABSENT_PHASES.find(has);
  if (absent !== undefined) throw new TypeError(`'${name}': there is no phase ${absent} here`);
  const instances = new Instances(Plugin);
  const handlers = PHASES.filter(has).map((phase) => [
    phase,
    async (kong: object, config: object): Promise<Exit | undefined> => {
      const instance = instances.of(config);
      const kit = new KitPhase(kong);
      await (instance[phase] as KitHandler).call(instance, kit.kong);
      kit.throwUnheard();
      return undefined;
    },
  ]);
  return {
    ...options,
    name,
    version: Version,
    priority: Priority,
    schema: convertSchema(Schema),
    capabilities: { requestBody: true, responseBody: has('response'), ...options.capabilities },
    ...Object.fromEntries(handlers),
  };
}

type Instance = Readonly<Record<string, unknown>>;

/** A configuration is one object for as long as it is valid. */
class Instances {
  readonly #Plugin: KitModule['Plugin'];
  readonly #made = new WeakMap<object, Instance>();

  constructor(Plugin: KitModule['Plugin']) {
    this.#Plugin = Plugin;
  }

  of(config: object): Instance {
    let instance = this.#made.get(config);
    if (instance === undefined) {
      // Its own to change, as it is with the kit.
      instance = new this.#Plugin(JSON.parse(JSON.stringify(config)) as never) as Instance;
      this.#made.set(config, instance);
    }
    return instance;
  }
}
