/** `GET /consumers?custom_id=`: a lookup by the other name of a consumer (contract/admin-api.md section 3.3). */
import type { EntityDefinition } from '../../entities/define-entity.ts';
import type { EntityStore } from '../../store/entity-store.ts';
import { answerJson } from '../admin-exchange.ts';
import { AdminRefusal } from '../admin-refusal.ts';
import type { EndpointOverride } from '../layer-endpoints.ts';
import { firstArgument } from '../parse-arguments.ts';

export function overrideConsumers(consumers: EntityDefinition, store: EntityStore): EndpointOverride[] {
  return [
    {
      template: `/${consumers.adminName}`,
      method: 'GET',
      wrap: (generated) => async (request) => {
        const customId = firstArgument(request.query, 'custom_id')?.value;
        if (customId === undefined) return generated(request);
        if (customId === true || customId === '') {
          throw new AdminRefusal(400, 'custom_id must be an unempty string');
        }
        const consumer = await store.selectByUnique(consumers, 'custom_id', customId);
        return answerJson(200, { data: consumer === undefined ? [] : [consumer], next: null });
      },
    },
  ];
}
