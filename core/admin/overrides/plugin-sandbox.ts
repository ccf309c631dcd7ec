/**
 * `sandbox` of one plugin of a published package: whether it runs, and what was held against it last. Only in answers
 * about one plugin, and read-only: what clients send back of it is passed over. Not part of Kong's API.
 */
import type { EntityDefinition } from '../../entities/define-entity.ts';
import type { AdminAnswer, AdminHandler, AdminRequest } from '../admin-exchange.ts';
import { answerJson } from '../admin-exchange.ts';
import type { EndpointOverride } from '../layer-endpoints.ts';
import type { SandboxStatus } from '../sandbox-endpoint.ts';

/** The published package that offers a plugin on this node. */
export interface PackageOfPlugin {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  /** Why this node does not run another version that it should. */
  readonly problem: string | undefined;
}

export interface PluginSandboxDependencies {
  /** Undefined for a plugin that comes with the gateway, or that nobody offers. */
  readonly packageOf: (plugin: string) => PackageOfPlugin | undefined;
  readonly sandboxes: () => Promise<readonly SandboxStatus[]>;
}

const MEMBER = 'sandbox';
/** The worst of what workers say is shown. */
const STATES = ['serving', 'quarantined', 'suspended', 'unavailable'] as const;

export function overridePluginSandbox(
  plugins: EntityDefinition,
  entities: readonly EntityDefinition[],
  dependencies: PluginSandboxDependencies,
): EndpointOverride[] {
  const collections = [`/${plugins.adminName}`, ...nestedCollections(plugins, entities)];
  const dropping =
    (generated: AdminHandler): AdminHandler =>
    (request) =>
      generated(withoutMember(request));
  return collections.flatMap((collection): EndpointOverride[] => {
    const template = `${collection}/{${plugins.name}}`;
    return [
      { template: collection, method: 'POST', wrap: dropping },
      { template, method: 'PUT', wrap: dropping },
      { template, method: 'PATCH', wrap: dropping },
      {
        template,
        method: 'GET',
        wrap: (generated) => async (request) => describe(await generated(request), dependencies),
      },
    ];
  });
}

function nestedCollections(plugins: EntityDefinition, entities: readonly EntityDefinition[]): string[] {
  return Object.entries(plugins.nestedNames).flatMap(([field, nestedName]) => {
    const reference = plugins.fields[field];
    const parent = entities.find(({ name }) => reference?.type === 'foreign' && name === reference.reference);
    return parent === undefined ? [] : [`/${parent.adminName}/{${parent.name}}/${nestedName}`];
  });
}

function withoutMember(request: AdminRequest): AdminRequest {
  const { [MEMBER]: _readOnly, ...members } = request.input.members;
  return { ...request, input: { ...request.input, members } };
}

async function describe(
  answer: AdminAnswer,
  { packageOf, sandboxes }: PluginSandboxDependencies,
): Promise<AdminAnswer> {
  if (answer.status !== 200 || answer.content === undefined) return answer;
  const row = JSON.parse(answer.content.text) as Readonly<Record<string, unknown>>;
  const owner = packageOf(String(row['name']));
  if (owner === undefined) return answer;
  const seen = (await sandboxes()).filter(({ digest }) => digest === owner.digest);
  return answerJson(200, { ...row, [MEMBER]: summarise(owner, seen) });
}

function summarise({ name, version, digest, problem }: PackageOfPlugin, seen: readonly SandboxStatus[]) {
  const worst = Math.max(...seen.map(({ state }) => STATES.indexOf(state)));
  const lastError = seen
    .flatMap((each) => each.lastError ?? [])
    .toSorted((a, b) => a.at - b.at)
    .at(-1);
  return {
    package: name,
    version,
    digest,
    state: STATES[worst] ?? 'unavailable',
    strikes: Math.max(0, ...seen.map(({ strikes }) => strikes)),
    last_error: lastError ?? null,
    problem: problem ?? null,
  };
}
