/** `GET /endpoints`: every path template, disabled ones included, sorted segment by segment (contract/admin-api.md section 6). */
import { answerJson, type Endpoint } from './admin-exchange.ts';
import { splitPath } from './path-table.ts';

/** Lists `endpoints` and itself. */
export function listEndpoints(endpoints: readonly Endpoint[]): Endpoint {
  const templates = [...endpoints.map(({ template }) => template), '/endpoints'].sort(compareTemplates);
  return { template: '/endpoints', methods: { GET: () => answerJson(200, { data: templates }) } };
}

function compareTemplates(left: string, right: string): number {
  const rights = splitPath(right);
  for (const [index, segment] of splitPath(left).entries()) {
    const other = rights[index];
    if (other === undefined) return 1;
    if (segment !== other) return segment < other ? -1 : 1;
  }
  return splitPath(left).length - rights.length;
}
