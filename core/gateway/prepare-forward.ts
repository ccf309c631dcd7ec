/** From a request that passed all plugins to what is sent upstream. */
import type { RequestBody } from '../http/request-body.ts';
import type { PhaseLane } from '../pipeline/phase-lane.ts';
import { BalancedForward } from './balanced-forward.ts';
import { encodeBodyCall } from './encode-call.ts';
import { findHeader } from './find-header.ts';
import { writeRequestHead } from './forward-headers.ts';
import { MadeBody } from './made-body.ts';
import { nowMs } from './now.ts';
import type { RequestFlow } from './request-flow.ts';
import type { UpstreamPlan } from './route-plan.ts';
import { TransformedBody } from './transformed-body.ts';
import { originNamed } from './upstream-origin.ts';
import { encodePath } from './upstream-path.ts';

/** How the body is framed towards the upstream. */
type Framing = { readonly contentLength: number } | 'chunked' | undefined;

/** Sends the request, at once unless its body has to be read whole or transformed first. */
export function prepareForward(flow: RequestFlow, upstream: UpstreamPlan): void {
  if (!flow.plan.transformsRequest || !transformBody(flow, upstream)) forwardAsItIs(flow, upstream);
}

/** False when there is nothing to transform, or nobody to do it. */
function transformBody(flow: RequestFlow, upstream: UpstreamPlan): boolean {
  const { plan, picks, gateway, exchange } = flow;
  const replacement = flow.changes?.body;
  const bytes = replacement === undefined ? undefined : Buffer.from(replacement, 'latin1');
  const source = exchange.body ?? (bytes && new MadeBody(bytes));
  const stages = plan.lanes.flatMap(({ lane, plan: number, transformsRequest }, at) => {
    const picked = picks[at] ?? '';
    if (!transformsRequest || picked === '') return [];
    const call = encodeBodyCall(flow, number, picked, undefined);
    return [{ lane: gateway.lanes[lane] as PhaseLane, call }];
  });
  if (source === undefined || stages.length === 0) return false;
  if (bytes !== undefined) source.replace(bytes);
  const body = new TransformedBody(source, stages, {
    onOpened(isWanted) {
      if (isWanted) forward(flow, upstream, body, 'chunked');
      else forwardAsItIs(flow, upstream);
    },
    onFailure: (reason, detail) => flow.response.fail('transformRequest', reason, detail),
    onPhaseLog: (lines) => flow.onPhaseLog(lines),
  });
  flow.transformedBody = body;
  return true;
}

function forwardAsItIs(flow: RequestFlow, upstream: UpstreamPlan): void {
  const { body } = flow.exchange;
  const replacement = flow.changes?.body;
  if (body === undefined) {
    if (replacement) forwardMade(flow, upstream, Buffer.from(replacement, 'latin1'));
    else forward(flow, upstream, undefined, framingWithoutBody(flow));
    return;
  }
  if (replacement !== undefined) {
    const bytes = Buffer.from(replacement, 'latin1');
    body.replace(bytes);
    forward(flow, upstream, body, { contentLength: bytes.length });
  } else if (body.declaredLength !== undefined) {
    forward(flow, upstream, body, { contentLength: body.declaredLength });
  } else if (flow.plan.route?.request_buffering === false || upstream.origin.speaksHttp2 === true) {
    forward(flow, upstream, body, 'chunked');
  } else {
    forwardBuffered(flow, upstream, body);
  }
}

/** The client sent no body, a plugin did. */
function forwardMade(flow: RequestFlow, upstream: UpstreamPlan, bytes: Uint8Array): void {
  forward(flow, upstream, new MadeBody(bytes), { contentLength: bytes.length });
}

/** A chunked body is given a length where it fits into memory, and is streamed as it comes where it does not. */
function forwardBuffered(flow: RequestFlow, upstream: UpstreamPlan, body: RequestBody): void {
  const { maxBufferedBodyBytes } = flow.gateway.policy;
  // A turn later: bytes behind the last chunk that make the listener cut the connection are in the same read.
  const forwardLater = (framing: Framing): void => {
    setImmediate(() => forwardUnlessAborted(flow, upstream, body, framing));
  };
  body.readWhole(maxBufferedBodyBytes).then(
    (bytes) => forwardLater({ contentLength: bytes.length }),
    () => forwardLater('chunked'),
  );
}

function forwardUnlessAborted(
  flow: RequestFlow,
  upstream: UpstreamPlan,
  body: RequestBody,
  framing: Framing,
): void {
  if (!flow.exchange.isAborted) forward(flow, upstream, body, framing);
}

function forward(
  flow: RequestFlow,
  upstream: UpstreamPlan,
  body: RequestBody | undefined,
  framing: Framing,
): void {
  const { exchange, gateway, changes } = flow;
  const method = changes?.method ?? exchange.method;
  const observer = flow.trace?.isSampled === true ? flow.trace : undefined;
  flow.forwardedAtMs = nowMs();
  const { balancer } = upstream;
  const keptHost = upstream.origin.protocol === 'https' ? findKeptHost(flow) : undefined;
  if (balancer !== undefined) {
    const writeHeadFor = (host: string) => writeHead(flow, upstream, host, method, framing);
    const parts = {
      method,
      body,
      chunkedBody: framing === 'chunked',
      upgrade: exchange.upgrade,
      observer,
      writeHead: writeHeadFor,
      keptHost,
    };
    flow.forwarding = gateway.forward(new BalancedForward(flow, upstream, balancer, parts), flow.response);
    return;
  }
  flow.forwarding = gateway.forward(
    {
      origin: keptHost === undefined ? upstream.origin : originNamed(upstream.origin, keptHost),
      method,
      head: writeHead(flow, upstream, upstream.hostHeader, method, framing),
      body,
      chunkedBody: framing === 'chunked',
      upgrade: exchange.upgrade,
      retries: upstream.retries,
      connectTimeoutMs: upstream.connectTimeoutMs,
      writeTimeoutMs: upstream.writeTimeoutMs,
      readTimeoutMs: upstream.readTimeoutMs,
      observer,
    },
    flow.response,
  );
}

function writeHead(
  flow: RequestFlow,
  upstream: UpstreamPlan,
  host: string,
  method: string,
  framing: Framing,
): string {
  const { exchange, changes, gateway } = flow;
  const path =
    changes?.path === undefined ? upstream.buildPath(flow.path, flow.matchedPath) : encodePath(changes.path);
  const query = changes?.rawQuery ?? exchange.rawQuery;
  // A query emptied by a plugin goes without its `?`; a bare one of the client's stays.
  const hasQuery = changes?.rawQuery === undefined ? query !== undefined : query !== '';
  flow.upstreamTarget = hasQuery ? `${path}?${query}` : path;
  return writeRequestHead({
    method,
    target: flow.upstreamTarget,
    exchange,
    host: findKeptHost(flow) ?? host,
    clientAddress: flow.clientAddress,
    isTrusted: flow.isTrusted,
    strippedPrefix: flow.strippedPrefix,
    requestId: gateway.policy.sendsRequestIdUpstream ? flow.requestId : undefined,
    productToken: gateway.policy.productToken,
    overrides: flow.serviceTriples,
    framing,
    relaysWebSocket: exchange.upgrade !== undefined,
  });
}

/** The client's own Host, where the route keeps it. */
function findKeptHost({ exchange, changes, plan }: RequestFlow): string | undefined {
  return plan.route?.preserve_host === true && changes?.target === undefined ? exchange.host : undefined;
}

/** `Content-Length: 0` is passed on where the client sent it. */
function framingWithoutBody(flow: RequestFlow): Framing {
  return findHeader(flow.exchange.headers, 'content-length') === undefined ? undefined : { contentLength: 0 };
}
