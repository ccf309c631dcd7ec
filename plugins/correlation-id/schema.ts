/** Configuration of correlation-id: contract/plugins.md section 14. */
import { s } from '@tollgate/sdk';

export const schema = s.config({
  header_name: s.headerName({ required: true, default: 'Kong-Request-ID' }),
  generator: s.enum(['uuid', 'uuid#counter', 'tracker'], { required: true, default: 'uuid#counter' }),
  echo_downstream: s.boolean({ required: true, default: false }),
});
