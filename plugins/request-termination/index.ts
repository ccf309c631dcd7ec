/** request-termination: answers in place of the service. Contract/plugins.md section 13. */
import { type AccessKong, definePlugin } from '@tollgate/sdk';
import { describeRequest } from './describe-request.ts';
import { schema } from './schema.ts';

/** What is said where only the status is configured. */
const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad Gateway',
  503: 'Service unavailable',
};

const MAX_ARGUMENTS = 1000;

export default definePlugin({
  name: 'request-termination',
  version: '0.1.0',
  priority: 2,
  capabilities: { requestBody: true, uriCaptures: true },
  schema,

  async access(kong, config) {
    const { status_code: status, body, content_type: contentType, trigger } = config;
    if (trigger !== null && !isTriggered(kong, trigger)) return;
    const message = config.message ?? MESSAGES[status];
    if (config.echo) return kong.response.exit(status, { message, ...(await describeRequest(kong)) });
    if (body !== null)
      return kong.response.exit(status, body, contentType === null ? {} : { 'Content-Type': contentType });
    return kong.response.exit(status, message === undefined ? undefined : { message });
  },
});

function isTriggered({ request }: AccessKong, name: string): boolean {
  return request.getHeader(name) !== undefined || Object.hasOwn(request.getQuery(MAX_ARGUMENTS), name);
}
