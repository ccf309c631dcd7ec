/** The generations of configuration the guest holds, with plugins resolved to their definitions. */
import type { PluginDefinition } from '../define-plugin.ts';
import type { GuestConfiguration, GuestPlan } from '../protocol/plan.ts';

export interface LoadedInstance {
  readonly id: string;
  readonly plugin: PluginDefinition;
  readonly config: Readonly<Record<string, unknown>>;
  readonly routeId: string | null;
  readonly serviceId: string | null;
  /** It fails whenever it is its turn. */
  readonly hasProblem: boolean;
}

export interface Generation {
  readonly plans: readonly GuestPlan[];
  readonly instances: readonly LoadedInstance[];
  readonly consumers: GuestConfiguration['consumers'];
  readonly upstreams: ReadonlySet<string>;
}

const generations = new Map<number, Generation>();

/** Adds a generation and returns its instances. Earlier ones stay until `dropGeneration`. Configs are frozen: all requests share them. */
export function addGeneration(
  configuration: GuestConfiguration,
  plugins: ReadonlyMap<string, PluginDefinition>,
): readonly LoadedInstance[] {
  const instances = configuration.instances.map(({ id, plugin, config, routeId, serviceId, problem }) => {
    const definition = plugins.get(plugin);
    if (definition === undefined) throw new TypeError(`this package has no plugin named '${plugin}'`);
    const runs = problem === undefined ? definition : failing(definition, problem);
    const hasProblem = problem !== undefined;
    return { id, plugin: runs, config: freezeDeep(config), routeId, serviceId, hasProblem };
  });
  const { generation, plans, consumers, upstreams } = configuration;
  generations.set(generation, { plans, instances, consumers, upstreams: new Set(upstreams) });
  return instances;
}

/** A plugin that cannot run must not be passed by: requests fail in each phase that it has. */
function failing(definition: PluginDefinition, problem: string): PluginDefinition {
  const fail = (): never => {
    throw new Error(problem);
  };
  return {
    ...definition,
    ...(definition.rewrite && { rewrite: fail }),
    ...(definition.access && { access: fail }),
    ...(definition.transformRequest && { transformRequest: fail }),
    ...(definition.response && { response: fail }),
    ...(definition.transformResponse && { transformResponse: fail }),
    ...(definition.log && { log: fail }),
  };
}

export function dropGeneration(generation: number): void {
  generations.delete(generation);
}

/** Throws RangeError when the host names a generation it has dropped. */
export function findGeneration(generation: number): Generation {
  const found = generations.get(generation);
  if (found === undefined) throw new RangeError(`no generation ${generation}`);
  return found;
}

function freezeDeep<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freezeDeep(member);
    Object.freeze(value);
  }
  return value;
}
