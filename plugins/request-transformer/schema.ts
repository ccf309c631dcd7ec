/** Configuration of request-transformer: contract/plugins.md section 15. */
import { s } from '@tollgate/sdk';

const some = { required: true, default: [] } as const;
const values = s.array(s.string({ format: 'value_entry' }), some);
const headerValues = s.array(s.string({ format: 'header_value_entry' }), some);

const changed = { body: values, headers: headerValues, querystring: values } as const;

export const schema = s.config({
  http_method: s.string({
    match: '^[A-Z]+$',
    description: 'Another method. `GET`, `HEAD` and `TRACE` move a form into the query.',
  }),
  remove: s.record(
    {
      body: s.array(s.string(), some),
      headers: s.array(s.string({ format: 'header_entry' }), some),
      querystring: s.array(s.string(), some),
    },
    { required: true, description: 'Entries `name`: take it out.' },
  ),
  rename: s.record(
    {
      body: values,
      headers: s.array(s.string({ format: 'header_rename' }), some),
      querystring: values,
    },
    { required: true, description: 'Entries `name:new-name`: give it another name.' },
  ),
  replace: s.record(
    { ...changed, uri: s.string({ format: 'template', description: 'The whole path at the service.' }) },
    { required: true, description: 'Entries `name:value`: another value, where it is there.' },
  ),
  add: s.record(changed, {
    required: true,
    description: 'Entries `name:value`: put it in, where it is not there.',
  }),
  append: s.record(changed, { required: true, description: 'Entries `name:value`: one value more.' }),
});
