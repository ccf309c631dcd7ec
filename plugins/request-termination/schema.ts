/** Configuration of request-termination: contract/plugins.md section 13. */
import { s } from '@tollgate/sdk';

const given = { required: true };
const left = { eq: null };

export const schema = s.config(
  {
    status_code: s.integer({ required: true, default: 503, between: [100, 599] }),
    message: s.string(),
    content_type: s.string(),
    body: s.string(),
    echo: s.boolean({ required: true, default: false }),
    trigger: s.headerName(),
  },
  {
    checks: [
      ...(['content_type', 'body'] as const).map((field) =>
        s.recordRule(
          { field: 'message', match: given },
          { field, match: left },
          'message cannot be used with content_type or body',
        ),
      ),
      s.recordRule(
        { field: 'content_type', match: given },
        { field: 'body', match: given },
        'content_type requires a body',
      ),
      ...(['content_type', 'body'] as const).map((field) =>
        s.recordRule(
          { field: 'echo', match: { eq: true } },
          { field, match: left },
          'echo cannot be used with content_type and body',
        ),
      ),
    ],
  },
);
