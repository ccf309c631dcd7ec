/**
 * The transport of the Admin and Status APIs: headers, CORS, methods, body limits and the order in which a call
 * is refused. Fastify owns the sockets, the reading of bodies and the failures on the way; paths are matched by
 * path-table.ts, because Kong's rules (undecoded segments, 405 and 415 before routing) are not those of a router
 * made for applications. Source: contract/admin-api.md sections 1.2–1.4.
 */
import { randomUUID } from 'node:crypto';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import {
  type AdminAnswer,
  type AdminMethod,
  answerMessage,
  type Endpoint,
  NO_CONTENT,
} from './admin-exchange.ts';
import { AdminRefusal, methodNotAllowed, notFound } from './admin-refusal.ts';
import { bodyKind, decodeBody, NO_INPUT } from './decode-body.ts';
import { answerForError } from './error-status.ts';
import { parseArguments } from './parse-arguments.ts';
import type { PathTable } from './path-table.ts';
import { decodeSegment } from './percent-decoding.ts';
import { refuseUnparsedRequest } from './refuse-unparsed-request.ts';

export interface ErrorLogger {
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

export interface TransportOptions {
  /** Value of `Server`; undefined leaves the header out. */
  readonly serverToken: string | undefined;
  /** Whether `X-Kong-Admin-Latency` is sent. */
  readonly showsLatency: boolean;
  /** Origins of the console. Empty: every origin is echoed. */
  readonly guiOrigins: readonly string[];
  readonly logger: ErrorLogger;
}

const MAX_BODY_BYTES = 10 * 1024 * 1024;
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** An app serving exactly these endpoints; not listening yet. */
export function createHttpApp(table: PathTable, options: TransportOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    rewriteUrl: () => '/',
    genReqId: () => randomUUID().replaceAll('-', ''),
    clientErrorHandler: refuseUnparsedRequest,
  });
  readBodiesRaw(app);
  app.addHook('onRequest', async (request, reply) => setFixedHeaders(request, reply, options));
  app.addHook('onSend', async (_request, reply) => {
    if (options.showsLatency) reply.header('x-kong-admin-latency', Math.floor(reply.elapsedTime));
  });
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendAnswer(reply, answerForTransportError(error) ?? explainToLog(error, request, options.logger)),
  );
  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = await answerRequest(table, request, reply).catch(
      (error: unknown) => answerForError(error) ?? explainToLog(error, request, options.logger),
    );
    return sendAnswer(reply, answer);
  };
  app.route({ method: app.supportedMethods, url: '/', handler: handle });
  app.setNotFoundHandler(handle);
  return app;
}

/**
 * Bodies arrive as bytes whatever their type says. The type is moved aside first: Fastify refuses what does not
 * follow the media type grammar, while here only a prefix counts, and only for methods that take a body.
 */
function readBodiesRaw(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.decorateRequest('bodyType', undefined);
  app.addHook('onRequest', async (request) => {
    request.bodyType = request.headers['content-type'];
    request.raw.headers['content-type'] = 'application/octet-stream';
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** `Content-Type` as sent. */
    bodyType: string | undefined;
  }
}

function setFixedHeaders(request: FastifyRequest, reply: FastifyReply, options: TransportOptions): void {
  if (options.serverToken !== undefined) reply.header('server', options.serverToken);
  reply.header('access-control-allow-origin', allowedOrigin(request.headers.origin, options.guiOrigins));
  reply.header('access-control-allow-credentials', 'true');
}

function allowedOrigin(origin: string | undefined, guiOrigins: readonly string[]): string {
  const [first] = guiOrigins;
  if (first === undefined) return origin ?? '*';
  return origin !== undefined && guiOrigins.includes(origin) ? origin : first;
}

async function answerRequest(
  table: PathTable,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AdminAnswer> {
  const { path, query } = splitTarget(request.originalUrl);
  const match = table.find(path);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const acceptsYaml = match?.endpoint.acceptsYaml ?? false;
  const takesBody = METHODS_WITH_BODY.has(request.method);
  const kind = takesBody ? bodyKind(request.bodyType, body.length > 0, acceptsYaml) : 'none';
  if (match === undefined || match.endpoint.isDisabled) throw notFound();
  if (request.method === 'OPTIONS') return answerOptions(match.endpoint, request, reply);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const handler = match.endpoint.methods[method as AdminMethod];
  if (handler === undefined) throw methodNotAllowed();
  return handler({
    method: method as AdminMethod,
    captures: match.captures.map(decodeSegment),
    rawCaptures: match.captures,
    query: parseArguments(query),
    input: kind === 'none' ? NO_INPUT : await decodeBody(kind, request.bodyType ?? '', body),
  });
}

function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const relative = target.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = relative.indexOf('?');
  return mark === -1
    ? { path: relative, query: '' }
    : { path: relative.slice(0, mark), query: relative.slice(mark + 1) };
}

function answerOptions(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): AdminAnswer {
  const methods = allowedMethods(endpoint).join(', ');
  reply.header('allow', methods);
  reply.header('access-control-allow-methods', methods);
  reply.header(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? 'Content-Type',
  );
  return NO_CONTENT;
}

/** The methods of a path in alphabetical order, HEAD and OPTIONS included. */
export function allowedMethods(endpoint: Endpoint): string[] {
  const own = Object.keys(endpoint.methods);
  return [...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort();
}

function sendAnswer(reply: FastifyReply, answer: AdminAnswer): FastifyReply {
  reply.code(answer.status);
  if (answer.content === undefined) return reply.header('content-length', '0').send();
  return reply.header('content-type', answer.content.type).send(answer.content.text);
}

/** What Fastify refused before our handler ran. */
function answerForTransportError(error: FastifyError): AdminAnswer | undefined {
  if (error.statusCode === 413) return answerMessage(413, 'Payload too large');
  return error.statusCode !== undefined && error.statusCode < 500
    ? answerForError(new AdminRefusal(error.statusCode, 'Bad request'))
    : undefined;
}

/** Without the path: a credential can be addressed by its key. */
function explainToLog(error: unknown, { id, method }: FastifyRequest, logger: ErrorLogger): AdminAnswer {
  logger.error({ request_id: id, method, err: error }, 'an Admin API call failed unexpectedly');
  return answerMessage(500, 'An unexpected error occurred');
}
