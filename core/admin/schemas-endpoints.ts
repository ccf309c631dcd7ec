/** `/schemas/…`: what entities and plugins look like, and a dry run of their validation (contract/admin-api.md section 5). */
import { coerceEntityForm } from '../entities/coerce-entity-form.ts';
import { completeForInsert, validateEntity } from '../entities/complete-entity.ts';
import type { EntityDefinition } from '../entities/define-entity.ts';
import { describeEntity, describePlugin } from '../entities/describe-entity.ts';
import type { PluginSchemas } from '../entities/plugin-schemas.ts';
import { readTtlSeconds } from '../entities/read-ttl-seconds.ts';
import {
  type AdminAnswer,
  answerJson,
  answerMessage,
  type Endpoint,
  type RequestInput,
} from './admin-exchange.ts';
import { AdminRefusal } from './admin-refusal.ts';
import { noPluginNamed } from './overrides/plugins.ts';

export function schemasEndpoints(
  definitions: readonly EntityDefinition[],
  plugins: PluginSchemas,
): Endpoint[] {
  const requireEntity = (name: string): EntityDefinition => {
    const definition = definitions.find((candidate) => candidate.name === name);
    if (definition === undefined) throw new AdminRefusal(404, `No entity named '${name}'`);
    return definition;
  };
  return [
    {
      template: '/schemas/{db_entity_name}',
      methods: { GET: ({ captures: [name = ''] }) => answerJson(200, describeEntity(requireEntity(name))) },
    },
    {
      template: '/schemas/{db_entity_name}/validate',
      methods: { POST: ({ captures: [name = ''], input }) => validateInput(requireEntity(name), input) },
    },
    {
      template: '/schemas/plugins/{name}',
      methods: {
        GET: ({ captures: [name = ''] }) => {
          const schema = plugins.get(name);
          if (schema === undefined) throw noPluginNamed(name);
          return answerJson(200, describePlugin(schema));
        },
      },
    },
    {
      template: '/schemas/plugins/validate',
      methods: { POST: ({ input }) => validateInput(requireEntity('plugins'), input) },
    },
    {
      template: '/schemas/vaults/{name}',
      methods: {
        GET: ({ captures: [name = ''] }) => {
          throw new AdminRefusal(404, `No vault named '${name}'`);
        },
      },
    },
  ];
}

/** Nothing is stored or looked up: whether names are free and references lead anywhere stays open. */
function validateInput(definition: EntityDefinition, { members, isForm }: RequestInput): AdminAnswer {
  const input = isForm ? coerceEntityForm(definition, members) : members;
  readTtlSeconds(definition, input);
  const row = completeForInsert(definition, input, Date.now() / 1000);
  validateEntity(definition, row, 'insert');
  return answerMessage(200, 'schema validation successful');
}
