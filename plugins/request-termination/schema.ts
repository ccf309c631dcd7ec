/** Configuration of request-termination: contract/plugins.md section 13. */
import { s } from '@tollgate/sdk';

const given = { required: true };
const left = { eq: null };

export const schema = s.config(
  {
    status_code: s.integer({
      required: true,
      default: 503,
      between: [100, 599],
      description: 'Of the answer.',
    }),
    message: s.string({ description: 'Text of the JSON answer `{"message":…}`; by status when not given.' }),
    content_type: s.string({ description: 'Type of `body`.' }),
    body: s.string({ description: 'The answer word for word, instead of a message.' }),
    echo: s.boolean({
      required: true,
      default: false,
      description: 'Tell the client what the gateway makes of its request, with headers and body: for tests.',
    }),
    trigger: s.headerName({ description: 'Only answer requests with a header or an argument of this name.' }),
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
