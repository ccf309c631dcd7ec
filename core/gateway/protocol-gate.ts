/** The checks between routing and plugins: contract/proxy.md section 2.8. */
import { GatewayError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { findHeader } from './find-header.ts';
import type { RequestFlow } from './request-flow.ts';

const UPGRADE_TO_TLS = ['Connection', 'Upgrade', 'Upgrade', 'TLS/1.2, HTTP/1.1'];
const UPGRADE_TO_HTTP2 = ['Connection', 'Upgrade', 'Upgrade', 'HTTP/2'];

/** The refusal, or undefined when the request may pass. */
export function refuseAtGate(flow: RequestFlow): Answer | undefined {
  if (flow.plan.gate === 'open') return undefined;
  return flow.plan.gate === 'grpc' ? refuseNonGrpc(flow) : refuseInsecure(flow);
}

function refuseInsecure(flow: RequestFlow): Answer | undefined {
  const { exchange } = flow;
  const forwarded = flow.isTrusted ? findHeader(exchange.headers, 'x-forwarded-proto') : undefined;
  if ((forwarded ?? exchange.scheme) === 'https') return undefined;
  const status = flow.plan.route?.https_redirect_status_code ?? 426;
  if (status === 426) return flow.errorAnswer(new GatewayError('GW_HTTPS_REQUIRED'), UPGRADE_TO_TLS);
  const host =
    (flow.isTrusted ? findHeader(exchange.headers, 'x-forwarded-host') : undefined) ?? exchange.host ?? '';
  const query = exchange.rawQuery === undefined ? '' : `?${exchange.rawQuery}`;
  const location = `https://${host.replace(/:\d+$/, '')}${exchange.rawPath}${query}`;
  return { status, headers: ['Location', location], body: '', source: 'error' };
}

function refuseNonGrpc(flow: RequestFlow): Answer | undefined {
  const contentType = findHeader(flow.exchange.headers, 'content-type') ?? '';
  if (!contentType.startsWith('application/grpc')) return flow.errorAnswer(new GatewayError('GW_NOT_GRPC'));
  if (flow.exchange.httpVersion === '2') return undefined;
  return flow.errorAnswer(new GatewayError('GW_HTTP2_REQUIRED'), UPGRADE_TO_HTTP2);
}
