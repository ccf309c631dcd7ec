/** Takes the key out of everything the upstream will see. */
import type { AccessKong, DecodedBody } from '@tollgate/sdk';

/** The name goes from headers and query wherever the key was found, and from the body when that was looked at. */
export function hideCredentials(kong: AccessKong, name: string, body: DecodedBody | undefined): void {
  kong.service.request.clearHeader(name);
  // A configured `_` finds the header with `-` too, so that one may hold the key.
  if (name.includes('_')) kong.service.request.clearHeader(name.replaceAll('_', '-'));
  if (kong.request.getQueryArg(name) !== undefined) kong.service.request.clearQueryArg(name);
  if (body?.mime === undefined || body.fields === undefined || !Object.hasOwn(body.fields, name)) return;
  const { [name]: _hidden, ...rest } = body.fields;
  kong.service.request.setBody(rest, body.mime);
}
