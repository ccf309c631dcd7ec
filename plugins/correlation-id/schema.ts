/** Configuration of correlation-id: contract/plugins.md section 14. */
import { s } from '@tollgate/sdk';

export const schema = s.config({
  header_name: s.headerName({
    required: true,
    default: 'Kong-Request-ID',
    description: 'Header that carries the id; one that the client sends is kept unless it is empty.',
  }),
  generator: s.enum(['uuid', 'uuid#counter', 'tracker'], {
    required: true,
    default: 'uuid#counter',
    description: 'Kind of ids, see below.',
  }),
  echo_downstream: s.boolean({
    required: true,
    default: false,
    description: 'Tell the client the id, also in answers of the gateway itself.',
  }),
});
