/** The checks between routing and plugins: contract/proxy.md section 2.8. */
import { GatewayError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { findHeader } from './find-header.ts';
import { describeToGrpc, isGrpcType } from './grpc-answer.ts';
import type { RequestFlow } from './request-flow.ts';

const UPGRADE_TO_TLS = ['Connection', 'Upgrade', 'Upgrade', 'TLS/1.2, HTTP/1.1'];
const UPGRADE_TO_HTTP2 = ['Connection', 'Upgrade', 'Upgrade', 'HTTP/2'];

const INSECURE_GRPC = describeToGrpc(499, 'gRPC request matched gRPCs route');

/** The refusal, or undefined when the request may pass. */
export function refuseAtGate(flow: RequestFlow): Answer | undefined {
  switch (flow.plan.gate) {
    case 'open':
      return undefined;
    case 'https-only':
      return isSecure(flow) ? undefined : refuseInsecure(flow);
    case 'grpc':
      return refuseNonGrpc(flow);
    case 'grpcs-only':
      return refuseNonGrpc(flow) ?? (isSecure(flow) ? undefined : refuseInsecureGrpc());
  }
}

function isSecure({ exchange, isTrusted }: RequestFlow): boolean {
  const forwarded = isTrusted ? findHeader(exchange.headers, 'x-forwarded-proto') : undefined;
  return (forwarded ?? exchange.scheme) === 'https';
}

function refuseInsecure(flow: RequestFlow): Answer {
  const { exchange } = flow;
  const status = flow.plan.route?.https_redirect_status_code ?? 426;
  if (status === 426) return flow.errorAnswer(new GatewayError('GW_HTTPS_REQUIRED'), UPGRADE_TO_TLS);
  const forwardedHost = flow.isTrusted ? findHeader(exchange.headers, 'x-forwarded-host') : undefined;
  const host = forwardedHost ?? (exchange.host ?? '').toLowerCase();
  const query = exchange.rawQuery === undefined ? '' : `?${exchange.rawQuery}`;
  const location = `https://${host.replace(/:\d*$/, '')}${exchange.rawPath}${query}`;
  return { status, headers: ['Location', location], body: '', source: 'error' };
}

function refuseNonGrpc(flow: RequestFlow): Answer | undefined {
  const contentType = findHeader(flow.exchange.headers, 'content-type');
  if (!isGrpcType(contentType)) return flow.errorAnswer(new GatewayError('GW_NOT_GRPC'));
  if (flow.exchange.httpVersion === '2') return undefined;
  return flow.errorAnswer(new GatewayError('GW_HTTP2_REQUIRED'), UPGRADE_TO_HTTP2);
}

/** Kong's own choice of words and status. */
function refuseInsecureGrpc(): Answer {
  return {
    status: 200,
    headers: ['Content-Type', 'application/grpc', ...INSECURE_GRPC],
    body: '',
    source: 'error',
  };
}
