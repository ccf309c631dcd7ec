/** What `echo` tells a client of its request and of what the gateway makes of it. */
import type { AccessKong } from '@tollgate/sdk';

const MAX_ARGUMENTS = 1000;

export async function describeRequest(kong: AccessKong): Promise<Readonly<Record<string, unknown>>> {
  const { request, node, router } = kong;
  const { unnamed, named } = request.getUriCaptures();
  return {
    kong: { node_id: node.getId(), worker_pid: node.getPid(), hostname: node.getHostname() },
    request: {
      scheme: request.getScheme(),
      host: request.getHost(),
      port: request.getPort(),
      headers: mapValues(request.getHeaders(), (values) => (values.length === 1 ? values[0] : values)),
      query: request.getQuery(MAX_ARGUMENTS),
      ...(await describeBody(kong)),
      method: request.getMethod(),
      path: request.getPath(),
      // The whole match says nothing that the path does not.
      uri_captures: { unnamed: unnamed.slice(1), named },
    },
    matched_route: router.getRoute(),
    matched_service: router.getService(),
  };
}

/** Without a body that cannot be had, because it is too large for instance. */
async function describeBody({ request, log }: AccessKong) {
  try {
    const { fields } = await request.getBody();
    return { body: fields, raw_body: await request.getRawBody() };
  } catch (error) {
    log.notice(`the body is not shown: ${error instanceof Error ? error.message : error}`);
    return {};
  }
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
