/** Configuration of cors: contract/plugins.md section 10. */
import { s } from '@tollgate/sdk';

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'] as const;

export const schema = s.config({
  origins: s.array(s.string({ format: 'asterisk_or_regex' })),
  headers: s.array(s.string()),
  exposed_headers: s.array(s.string()),
  methods: s.array(s.enum(METHODS), { default: METHODS }),
  max_age: s.number(),
  credentials: s.boolean({ required: true, default: false }),
  private_network: s.boolean({ required: true, default: false }),
  preflight_continue: s.boolean({ required: true, default: false }),
});
