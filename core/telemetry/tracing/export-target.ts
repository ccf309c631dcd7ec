/** Where spans or log lines go, as a guest says it: read here, and not believed further than its types. */

export interface ExportTarget {
  readonly protocol: 'http' | 'grpc';
  /** For gRPC `http://` or `https://` with host and port alone. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxBatchSize: number;
  readonly maxDelayMs: number;
  readonly maxQueueSize: number;
  readonly maxRetryMs: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const FORBIDDEN_IN_VALUE = /[\r\n\0]/;
/** Longer pauses do not fit into a timer. */
const MAX_MS = 2 ** 31 - 1;
const MAX_SPANS = 1_000_000;
const SCHEMES: Readonly<Record<string, Pick<ExportTarget, 'protocol'> & { readonly scheme: string }>> = {
  'http:': { protocol: 'http', scheme: 'http:' },
  'https:': { protocol: 'http', scheme: 'https:' },
  'grpc:': { protocol: 'grpc', scheme: 'http:' },
  'grpcs:': { protocol: 'grpc', scheme: 'https:' },
};

export interface ExportTargets {
  readonly traces: ExportTarget | undefined;
  readonly logs: ExportTarget | undefined;
}

/** Throws TypeError or SyntaxError with what is wrong. */
export function parseExportTargets(json: string): ExportTargets {
  const { traces, logs } = membersOf(JSON.parse(json));
  return {
    traces: traces === undefined ? undefined : parseTarget(membersOf(traces)),
    logs: logs === undefined ? undefined : parseTarget(membersOf(logs)),
  };
}

function membersOf(given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null) throw new TypeError('a target is an object');
  return given as Readonly<Record<string, unknown>>;
}

function parseTarget(given: Readonly<Record<string, unknown>>): ExportTarget {
  const headers = readTexts(given['headers'], 'headers');
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || FORBIDDEN_IN_VALUE.test(value))
      throw new TypeError(`bad header '${name}'`);
  }
  return {
    ...readEndpoint(given['endpoint']),
    headers,
    resourceAttributes: readTexts(given['resourceAttributes'], 'resourceAttributes'),
    timeoutMs: readNumber(given, 'timeoutMs', 1, MAX_MS),
    maxBatchSize: readNumber(given, 'maxBatchSize', 1, MAX_SPANS),
    maxDelayMs: readNumber(given, 'maxDelayMs', 0, MAX_MS),
    maxQueueSize: readNumber(given, 'maxQueueSize', 1, MAX_SPANS),
    maxRetryMs: readNumber(given, 'maxRetryMs', 0, MAX_MS),
    retryDelayMs: readNumber(given, 'retryDelayMs', 1, MAX_MS),
    maxRetryDelayMs: readNumber(given, 'maxRetryDelayMs', 1, MAX_MS),
  };
}

function readEndpoint(endpoint: unknown): Pick<ExportTarget, 'protocol' | 'url'> {
  const parsed = typeof endpoint === 'string' ? URL.parse(endpoint) : null;
  const known = SCHEMES[parsed?.protocol ?? ''];
  if (parsed === null || known === undefined || parsed.host === '') {
    // Not the text itself: it goes to the log, and may hold a password.
    throw new TypeError('an endpoint is a URL of http, https, grpc or grpcs');
  }
  const { protocol, scheme } = known;
  return { protocol, url: protocol === 'grpc' ? `${scheme}//${parsed.host}` : parsed.href };
}

function readTexts(given: unknown, name: string): Readonly<Record<string, string>> {
  const isWellFormed =
    typeof given === 'object' &&
    given !== null &&
    Object.values(given).every((value) => typeof value === 'string');
  if (!isWellFormed) throw new TypeError(`${name} is an object of texts`);
  return given as Readonly<Record<string, string>>;
}

/** Clamped: what is out of range is a matter of degree, not a mistake. */
function readNumber(
  given: Readonly<Record<string, unknown>>,
  name: string,
  least: number,
  most: number,
): number {
  const value = given[name];
  if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError(`${name} is a number`);
  return Math.min(most, Math.max(least, value));
}
