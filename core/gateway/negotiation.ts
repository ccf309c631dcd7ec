/** What the form of an error depends on: contract/proxy.md section 6.2. */
import type { ClientExchange } from '../http/client-exchange.ts';
import type { ErrorTemplates } from './error-body.ts';
import { findHeader } from './find-header.ts';
import type { GatewayPolicy } from './gateway.ts';
import { isGrpcType } from './grpc-answer.ts';

export interface Negotiation {
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
  readonly isGrpc: boolean;
  readonly requestId: string;
  readonly defaultType: string;
  readonly templates: ErrorTemplates;
}

export function negotiate(
  { headers, httpVersion }: Pick<ClientExchange, 'headers' | 'httpVersion'>,
  requestId: string,
  { errorDefaultType, errorTemplates }: Pick<GatewayPolicy, 'errorDefaultType' | 'errorTemplates'>,
): Negotiation {
  const contentType = findHeader(headers, 'content-type');
  return {
    accept: findHeader(headers, 'accept'),
    contentType,
    isGrpc: httpVersion === '2' && isGrpcType(contentType),
    requestId,
    defaultType: errorDefaultType,
    templates: errorTemplates,
  };
}
