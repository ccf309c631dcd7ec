/** What templates read of a request. */
import type { AccessKong, TemplateSource, TemplateValues } from '@tollgate/sdk';

const MAX_ARGUMENTS = 1000;

/** Of the request as it is now, whatever is changed later. Only the `sources` that are read are looked at. */
export function templateValuesOf(kong: AccessKong, sources: ReadonlySet<TemplateSource>): TemplateValues {
  const { request } = kong;
  const headers = sources.has('headers') ? request.getHeaders() : {};
  const query = sources.has('query_params') ? request.getQuery(MAX_ARGUMENTS) : {};
  const { unnamed, named } = sources.has('uri_captures')
    ? request.getUriCaptures()
    : { unnamed: [], named: {} };
  const shared = sources.has('shared') ? kong.ctx.shared : {};
  return {
    headers: (name) => headerOf(headers, String(name).toLowerCase()),
    query_params: (name) => ownMember(query, name),
    // By position a group that took no part is ''.
    uri_captures: (member) =>
      typeof member === 'number' ? unnamed[member] || undefined : ownMember(named, member),
    shared: (name) => ownMember(shared, name),
  };
}

/** `_` stands for `-` too, which cannot be written behind a point. */
function headerOf(headers: Readonly<Record<string, unknown>>, name: string): unknown {
  return ownMember(headers, name) ?? ownMember(headers, name.replaceAll('_', '-'));
}

function ownMember(record: Readonly<Record<string, unknown>>, name: string | number): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
