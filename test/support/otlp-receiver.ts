/** A real OTLP backend for tests, in a process of its own: what it received, as spans and log lines with plain attributes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROCESS_MODULE = fileURLToPath(new URL('./otlp-receiver-process.ts', import.meta.url));
const WAIT_MS = 15_000;
const POLL_MS = 20;
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** Parent → receiver: how many of the next exports to answer with "unavailable". */
export interface ReceiverCommand {
  readonly refuse: number;
}

interface RawValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
}

interface RawAttribute {
  readonly key: string;
  readonly value: RawValue;
}

type RawBytes = { readonly data: readonly number[] };

interface RawSpan {
  readonly traceId: RawBytes;
  readonly spanId: RawBytes;
  readonly parentSpanId?: RawBytes;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly RawAttribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly RawAttribute[] }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface RawLine {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: RawValue;
  readonly attributes: readonly RawAttribute[];
  readonly traceId?: RawBytes;
  readonly spanId?: RawBytes;
}

/** One export, decoded; empty where it was refused. */
export interface ReceivedBatch {
  readonly protocol: 'http' | 'grpc';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isRefused: boolean;
  readonly request: {
    readonly resourceSpans?: readonly {
      readonly resource: { readonly attributes: readonly RawAttribute[] };
      readonly scopeSpans: readonly {
        readonly scope: { readonly name: string; readonly version: string };
        readonly spans: readonly RawSpan[];
      }[];
    }[];
    readonly resourceLogs?: readonly {
      readonly resource: { readonly attributes: readonly RawAttribute[] };
      readonly scopeLogs: readonly { readonly logRecords: readonly RawLine[] }[];
    }[];
  };
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly traceId: string;
  readonly spanId: string;
  /** '' for none. */
  readonly parentSpanId: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly resource: Attributes;
  readonly scope: string;
}

export interface ReceivedLine {
  readonly timeNs: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string;
  readonly attributes: Attributes;
  /** '' for none. */
  readonly traceId: string;
  readonly spanId: string;
  readonly resource: Attributes;
}

export interface OtlpReceiver {
  readonly httpPort: number;
  /** `http://127.0.0.1:port/v1/traces` */
  readonly httpEndpoint: string;
  /** `http://127.0.0.1:port/v1/logs` */
  readonly logsEndpoint: string;
  /** `grpc://127.0.0.1:port` */
  readonly grpcEndpoint: string;
  readonly batches: readonly ReceivedBatch[];
  readonly spans: readonly ReceivedSpan[];
  readonly lines: readonly ReceivedLine[];
  /** Waits until there are spans of this trace with all of these names; resolves to the trace. */
  trace(traceId: string, ...names: readonly string[]): Promise<readonly ReceivedSpan[]>;
  /** Waits until `find` finds something. */
  until<Found>(what: string, find: () => Found | undefined): Promise<Found>;
  /** Answers the next exports with "unavailable". */
  refuse(exports: number): void;
  stop(): Promise<void>;
}

/** Without a `port` for HTTP a free one is taken. */
export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const child = fork(PROCESS_MODULE, [String(port)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [ports] = (await once(child, 'message')) as [
    { readonly httpPort: number; readonly grpcPort: number },
  ];
  const batches: ReceivedBatch[] = [];
  const spans: ReceivedSpan[] = [];
  const lines: ReceivedLine[] = [];
  child.on('message', (message) => {
    const batch = message as ReceivedBatch;
    batches.push(batch);
    spans.push(...readSpans(batch));
    lines.push(...readLines(batch));
  });
  const until = async <Found>(what: string, find: () => Found | undefined): Promise<Found> => {
    const deadlineMs = Date.now() + WAIT_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > deadlineMs) {
        throw new Error(
          `${what} did not arrive; what did: ${spans.map(({ name, traceId }) => `${name} of ${traceId}`)}`,
        );
      }
      await delay(POLL_MS);
    }
  };
  return {
    httpPort: ports.httpPort,
    httpEndpoint: `http://127.0.0.1:${ports.httpPort}/v1/traces`,
    logsEndpoint: `http://127.0.0.1:${ports.httpPort}/v1/logs`,
    grpcEndpoint: `grpc://127.0.0.1:${ports.grpcPort}`,
    batches,
    spans,
    lines,
    until,
    trace: (traceId, ...names) =>
      until(`${names.join(', ')} of ${traceId}`, () => {
        const found = spans.filter((span) => span.traceId === traceId);
        return names.every((name) => found.some((span) => span.name === name)) ? found : undefined;
      }),
    refuse: (exports) => child.send({ refuse: exports } satisfies ReceiverCommand),
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function readSpans({ request }: ReceivedBatch): ReceivedSpan[] {
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) =>
        readSpan(span, readAttributes(resource.attributes), `${scope.name} ${scope.version}`),
      ),
    ),
  );
}

function readLines({ request }: ReceivedBatch): ReceivedLine[] {
  return (request.resourceLogs ?? []).flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((line) => ({
        timeNs: BigInt(line.timeUnixNano),
        severityNumber: line.severityNumber,
        severityText: line.severityText,
        body: String(readValue(line.body)),
        attributes: readAttributes(line.attributes),
        traceId: line.traceId === undefined ? '' : readHex(line.traceId),
        spanId: line.spanId === undefined ? '' : readHex(line.spanId),
        resource: readAttributes(resource.attributes),
      })),
    ),
  );
}

function readSpan(span: RawSpan, resource: Attributes, scope: string): ReceivedSpan {
  return {
    name: span.name,
    kind: KINDS[span.kind] ?? 'unspecified',
    traceId: readHex(span.traceId),
    spanId: readHex(span.spanId),
    parentSpanId: span.parentSpanId === undefined ? '' : readHex(span.parentSpanId),
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    attributes: readAttributes(span.attributes),
    events: span.events.map(({ name, attributes }) => ({ name, attributes: readAttributes(attributes) })),
    statusCode: span.status?.code ?? 0,
    statusMessage: span.status?.message ?? '',
    resource,
    scope,
  };
}

function readHex({ data }: RawBytes): string {
  return Buffer.from(data).toString('hex');
}

function readAttributes(attributes: readonly RawAttribute[]): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]));
}

function readValue({ stringValue, boolValue, intValue, doubleValue }: RawValue) {
  return stringValue ?? boolValue ?? doubleValue ?? (intValue === undefined ? undefined : Number(intValue));
}
