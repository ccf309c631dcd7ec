/** correlation-id: one id for a request, on both sides of the gateway. Contract/plugins.md section 14. */
import { definePlugin } from '@tollgate/sdk';
import { GENERATORS } from './generators.ts';
import { schema } from './schema.ts';

export default definePlugin({
  name: 'correlation-id',
  version: '0.1.0',
  priority: 100001,
  responseNeeds: 'echo_downstream',
  schema,

  access(kong, { header_name: name, generator }) {
    const given = kong.request.getHeader(name);
    const id = given ? given : GENERATORS[generator](kong);
    if (!given) kong.service.request.setHeader(name, id);
    kong.ctx.shared['correlation_id'] = id;
  },

  response(kong, { header_name: name, generator, echo_downstream: isEchoed }) {
    if (!isEchoed) return;
    const known = kong.ctx.shared['correlation_id'];
    // Access may not have run: where no route matched, for instance.
    const id = typeof known === 'string' ? known : kong.request.getHeader(name);
    kong.response.setHeader(name, id ? id : GENERATORS[generator](kong));
  },
});
