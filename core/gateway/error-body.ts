/** Bodies of errors in the form a client accepts. Source: contract/proxy.md sections 6.1 and 6.2. */
import type { ErrorClass } from '../errors.ts';
import { describeToGrpc, isGrpcType } from './grpc-answer.ts';

export interface ErrorBodyInput {
  readonly status: number;
  /** '' stands for the usual message of the status. */
  readonly message: string;
  readonly class: ErrorClass;
  /** Headers of the request. */
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
  /** It came over HTTP/2 with a gRPC content type. */
  readonly isGrpc: boolean;
  readonly requestId: string;
  /** Media type for class B when the request says nothing (`error_default_type`). */
  readonly defaultType: string;
  /** In the place of the usual bodies. */
  readonly templates: ErrorTemplates;
}

export type ErrorFormat = 'json' | 'plain' | 'html' | 'xml';

/** Texts with two `%s`, for the message and the request's id (`error_template_*`). */
export type ErrorTemplates = Readonly<Partial<Record<ErrorFormat, string>>>;

export interface ErrorBody {
  /** Flat: the content type, or what a gRPC client looks for instead of a body. */
  readonly headers: readonly string[];
  readonly body: string;
}

interface Format {
  readonly contentType: string;
  /** What a message has to become before it goes into a template. */
  readonly escape: (message: string) => string;
  readonly write: (message: string, requestId: string) => string;
}

const FORMATS: Readonly<Record<ErrorFormat, Format>> = {
  json: {
    contentType: 'application/json; charset=utf-8',
    escape: (message) => JSON.stringify(message).slice(1, -1),
    write: (message, requestId) => `{\n  "message":"${message}",\n  "request_id":"${requestId}"\n}`,
  },
  plain: {
    contentType: 'text/plain; charset=utf-8',
    escape: (message) => message,
    write: (message, requestId) => `${message}\nrequest_id: ${requestId}\n`,
  },
  html: {
    contentType: 'text/html; charset=utf-8',
    escape: escapeMarkup,
    write: (message, requestId) => `<!doctype html>
<html>
  <head>
    <meta charset="utf-8">
    <title>Error</title>
  </head>
  <body>
    <h1>Error</h1>
    <p>${message}.</p>
    <p>request_id: ${requestId}</p>
  </body>
</html>
`,
  },
  xml: {
    contentType: 'application/xml; charset=utf-8',
    escape: escapeMarkup,
    write: (message, requestId) => `<?xml version="1.0" encoding="UTF-8"?>
<error>
  <message>${message}</message>
  <requestid>${requestId}</requestid>
</error>
`,
  },
};

const FORMAT_OF_TYPE: ReadonlyMap<string, ErrorFormat> = new Map([
  ['text/html', 'html'],
  ['application/json', 'json'],
  ['application/xml', 'xml'],
  ['text/plain', 'plain'],
  ['text/*', 'plain'],
]);

/** Pure; the status line and all other headers are the caller's. */
export function renderError(input: ErrorBodyInput): ErrorBody {
  const message = input.message === '' ? defaultMessageOf(input.status) : input.message;
  const type = findAcceptedType(input);
  if (input.class === 'A' ? input.isGrpc : isGrpcType(type)) {
    return { headers: describeToGrpc(input.status, message), body: '' };
  }
  // JSON also stands for everything unknown and unparsable.
  const name = FORMAT_OF_TYPE.get(type) ?? 'json';
  const format = FORMATS[name];
  const template = input.templates[name];
  const escaped = format.escape(message);
  const body =
    template === undefined
      ? format.write(escaped, input.requestId)
      : fillIn(template, escaped, input.requestId);
  return { headers: ['Content-Type', format.contentType], body };
}

function findAcceptedType({ accept, contentType, class: errorClass, defaultType }: ErrorBodyInput): string {
  if (accept !== undefined) return findPreferredType(accept);
  return errorClass === 'A' ? '' : findPreferredType(contentType ?? defaultType);
}

function fillIn(template: string, message: string, requestId: string): string {
  const values = [message, requestId];
  return template.replace(/%s/g, () => values.shift() ?? '');
}

/** The media type of highest `q`, lower case; the first wins ties, and 0 means "not this one". */
function findPreferredType(accept: string): string {
  let preferred = '';
  let highest = 0;
  for (const entry of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = entry.split(';');
    const quality = qualityOf(parameters);
    if (quality > highest) {
      highest = quality;
      preferred = type.trim();
    }
  }
  return preferred;
}

function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim() === 'q') return Number.parseFloat(value) || 0;
  }
  return 1;
}

const MARKUP: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => MARKUP[character] as string);
}

const DEFAULT_MESSAGES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  402: 'Payment required',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  407: 'Proxy authentication required',
  408: 'Request timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length required',
  412: 'Precondition failed',
  413: 'Payload too large',
  414: 'URI too long',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  417: 'Expectation failed',
  418: "I'm a teapot",
  421: 'Misdirected request',
  422: 'Unprocessable entity',
  423: 'Locked',
  424: 'Failed dependency',
  425: 'Too early',
  426: 'Upgrade required',
  428: 'Precondition required',
  429: 'Too many requests',
  431: 'Request header fields too large',
  451: 'Unavailable for legal reasons',
  494: 'Request header or cookie too large',
  500: 'An unexpected error occurred',
  501: 'Not implemented',
  502: 'An invalid response was received from the upstream server',
  503: 'The upstream server is currently unavailable',
  504: 'The upstream server is timing out',
  505: 'HTTP version not supported',
  506: 'Variant also negotiates',
  507: 'Insufficient storage',
  508: 'Loop detected',
  510: 'Not extended',
  511: 'Network authentication required',
};

function defaultMessageOf(status: number): string {
  return DEFAULT_MESSAGES[status] ?? `The upstream server responded with ${status}`;
}
