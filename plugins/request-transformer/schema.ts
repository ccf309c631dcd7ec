/** Configuration of request-transformer: contract/plugins.md section 15. */
import { s } from '@tollgate/sdk';

const names = s.array(s.string(), { required: true, default: [] });
const values = s.array(s.string({ format: 'value_entry' }), { required: true, default: [] });
const headerValues = s.array(s.string({ format: 'header_value_entry' }), { required: true, default: [] });

const changed = { body: values, headers: headerValues, querystring: values } as const;

export const schema = s.config({
  http_method: s.string({ match: '^[A-Z]+$' }),
  remove: s.record(
    {
      body: names,
      headers: s.array(s.string({ format: 'header_entry' }), { required: true, default: [] }),
      querystring: names,
    },
    { required: true },
  ),
  rename: s.record(
    {
      body: values,
      headers: s.array(s.string({ format: 'header_rename' }), { required: true, default: [] }),
      querystring: values,
    },
    { required: true },
  ),
  replace: s.record({ ...changed, uri: s.string({ format: 'template' }) }, { required: true }),
  add: s.record(changed, { required: true }),
  append: s.record(changed, { required: true }),
});
