/** request-transformer: changes a request on its way to the service. Contract/plugins.md section 15. */
import { type AccessKong, type ArgumentValue, definePlugin } from '@tollgate/sdk';
import { changeFields } from './change-fields.ts';
import { changeHeaders } from './change-headers.ts';
import type { Changes } from './rules.ts';
import { schema } from './schema.ts';
import { templateValuesOf } from './template-values.ts';
import { transformBody } from './transform-body.ts';
import { transformationOf } from './transformation.ts';

/** With these a form goes into the query. */
const METHODS_WITHOUT_BODY = ['GET', 'HEAD', 'TRACE'];
const MAX_ARGUMENTS = 1000;
/** What a client puts into an argument must not end the header it is copied to. */
const LINE_ENDS = /[\r\n\0]/g;
/** What would end the path, or is no part of one. */
const OUTSIDE_PATH = /[\s\0?#]/g;
const WHITE_SPACE = /\s/g;

export default definePlugin({
  name: 'request-transformer',
  version: '0.1.0',
  priority: 801,
  protocols: ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'tls_passthrough'],
  capabilities: { requestBody: true, uriCaptures: true },
  schema,

  async access(kong, config) {
    const { sources, uri, headers, querystring, body } = transformationOf(config);
    const { http_method: method } = config;
    // Templates read the request as it came, not as the changes before them have left it.
    const values = templateValuesOf(kong, sources);
    const path = uri?.render(values, (text) => text.replace(OUTSIDE_PATH, encodeURIComponent));
    if (path) kong.service.request.setPath(path.replace(WHITE_SPACE, encodeURIComponent));
    if (method !== null) kong.service.request.setMethod(method);
    if (headers !== undefined)
      transformHeaders(
        kong,
        headers.render(values, (text) => text.replace(LINE_ENDS, encodeURIComponent)),
      );
    const movesForm = method !== null && METHODS_WITHOUT_BODY.includes(method);
    if (movesForm || body !== undefined) {
      const refusal = await transformBody(kong, movesForm, body, values);
      if (refusal !== undefined) return refusal;
    }
    if (querystring !== undefined) transformQuery(kong, querystring.render(values));
  },
});

function transformHeaders(kong: AccessKong, changes: Changes): void {
  const { request } = kong.service;
  for (const { name, values } of changeHeaders(kong.request.getHeaders(), changes).values()) {
    const [first, ...rest] = values;
    if (first === undefined) request.clearHeader(name);
    else request.setHeader(name, first);
    for (const value of rest) request.addHeader(name, value);
  }
}

function transformQuery(kong: AccessKong, changes: Changes): void {
  const query = new Map<string, unknown>(Object.entries(kong.request.getQuery(MAX_ARGUMENTS)));
  if (!changeFields(query, changes)) return;
  kong.service.request.setQuery(Object.fromEntries(query) as Record<string, ArgumentValue>);
}
