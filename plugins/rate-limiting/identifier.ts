/** What is limited: contract/plugins.md section 2.2. */
import type { AccessKong, InferConfig } from '@tollgate/sdk';
import type { schema } from './schema.ts';
import { shortenText } from './shorten-text.ts';

/** Falls back to the client's address whenever the chosen identifier is missing. */
export function identifyClient(kong: AccessKong, config: InferConfig<typeof schema>): string {
  return shortenText(chosenIdentifier(kong, config) ?? kong.client.getForwardedIp());
}

function chosenIdentifier(kong: AccessKong, config: InferConfig<typeof schema>): string | undefined {
  switch (config.limit_by) {
    case 'consumer':
      return kong.client.getConsumer()?.id ?? kong.client.getCredential()?.id;
    case 'credential':
      return kong.client.getCredential()?.id;
    case 'service':
      return kong.router.getService()?.id;
    case 'header':
      return config.header_name === null ? undefined : kong.request.getHeader(config.header_name);
    case 'path':
      return kong.request.getPath() === config.path ? config.path : undefined;
    default:
      return undefined;
  }
}
