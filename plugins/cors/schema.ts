/** Configuration of cors: contract/plugins.md section 10. */
import { s } from '@tollgate/sdk';

export const METHODS = [
  'GET',
  'HEAD',
  'PUT',
  'PATCH',
  'POST',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
] as const;

export const schema = s.config({
  origins: s.array(s.string({ format: 'asterisk_or_regex' }), {
    description:
      'Origins that may call: `*`, plain ones, or regular expressions, which have to cover the whole origin, or the whole host name when there is no `:` in them. Any when not given.',
  }),
  headers: s.array(s.string(), {
    description: 'Request headers that a page may send; what it asks for when not given.',
  }),
  exposed_headers: s.array(s.string(), { description: 'Headers of the answer that a page may read.' }),
  methods: s.array(s.enum(METHODS), { default: METHODS, description: 'Told to preflights.' }),
  max_age: s.number({ description: 'Seconds for which a browser may keep the answer to a preflight.' }),
  credentials: s.boolean({
    required: true,
    default: false,
    description: "Pages may send cookies and keys; instead of `*` the page's own origin is named then.",
  }),
  private_network: s.boolean({
    required: true,
    default: false,
    description: 'Pages of public sites may call a private network.',
  }),
  preflight_continue: s.boolean({
    required: true,
    default: false,
    description: 'Leave preflights to the service, and add nothing to its answers to them.',
  }),
});
