/** Settings compiled once per worker into what the request path asks of them. */
import { compileClientAddress } from '../gateway/client-address.ts';
import type { GatewayPolicy } from '../gateway/gateway.ts';
import { compileResponseHeaders } from '../gateway/response-headers.ts';
import type { Settings } from '../settings/load-settings.ts';
import { expandHeaderTokens } from '../settings/response-headers.ts';

export function compilePolicy(settings: Settings, version: string): GatewayPolicy {
  const productToken = `tollgate/${version}`;
  return {
    productToken,
    responseHeaders: compileResponseHeaders({
      added: expandHeaderTokens(settings.headers),
      productToken,
      hasOwnDate: true,
    }),
    resolveClientAddress: compileClientAddress({
      trustedIps: settings.trustedIps,
      realIpHeader: settings.realIpHeader,
      isRecursive: settings.isRealIpRecursive,
    }),
    sendsRequestIdUpstream: settings.headersUpstream.includes('X-Kong-Request-Id'),
    isDebugHeaderAllowed: settings.isDebugHeaderAllowed,
    errorDefaultType: settings.errorDefaultType,
    errorTemplates: {
      ...(settings.errorTemplateHtml && { html: settings.errorTemplateHtml.text }),
      ...(settings.errorTemplateJson && { json: settings.errorTemplateJson.text }),
      ...(settings.errorTemplateXml && { xml: settings.errorTemplateXml.text }),
      ...(settings.errorTemplatePlain && { plain: settings.errorTemplatePlain.text }),
    },
    maxBufferedBodyBytes: settings.clientBodyBufferBytes,
  };
}
