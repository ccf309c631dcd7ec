/**
 * An OTLP backend in a process of its own: takes traces and logs over HTTP (protobuf) and gRPC, decodes them with the protocol's
 * message definitions, and tells its parent what it got. Started by otlp-receiver.ts.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { ReceivedBatch, ReceiverCommand } from './otlp-receiver.ts';

/** The part of opentelemetry-proto that traces and logs are made of: field numbers and types as published. */
const PROTOCOL = `
  syntax = "proto3";
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message InstrumentationScope { string name = 1; string version = 2; }
  message Status { string message = 2; int32 code = 3; }
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
    int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Event events = 11; Status status = 15; fixed32 flags = 16;
  }
  message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message LogRecord {
    fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
    repeated KeyValue attributes = 6; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10;
  }
  message ScopeLogs { InstrumentationScope scope = 1; repeated LogRecord log_records = 2; }
  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
  message ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
`;
const TRACES_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const LOGS_PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
const { root } = protobuf.parse(PROTOCOL);
const Traces = root.lookupType('ExportTraceServiceRequest');
const Logs = root.lookupType('ExportLogsServiceRequest');
const GRPC_UNAVAILABLE = 14;

let refusals = 0;

process.on('message', (command: ReceiverCommand) => {
  refusals = command.refuse;
});
process.on('disconnect', () => process.exit(0));

function receive(
  protocol: ReceivedBatch['protocol'],
  path: string,
  headers: ReceivedBatch['headers'],
  body: Buffer,
): boolean {
  const isRefused = refusals > 0;
  if (isRefused) refusals--;
  const type = /logs/i.test(path) ? Logs : Traces;
  const request = isRefused
    ? {}
    : type.toObject(type.decode(body), { longs: String, bytes: Buffer, arrays: true, objects: true });
  process.send?.({ protocol, path, headers, isRefused, request });
  return !isRefused;
}

const http = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const isTaken = receive(
      'http',
      request.url ?? '',
      request.headers as ReceivedBatch['headers'],
      Buffer.concat(chunks),
    );
    response.writeHead(isTaken ? 200 : 503, { 'Content-Type': 'application/x-protobuf' }).end();
  });
});

const grpc = new Server();
const raw = (bytes: Buffer) => bytes;
for (const path of [TRACES_PATH, LOGS_PATH]) {
  grpc.addService(
    {
      export: {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: raw,
        requestDeserialize: raw,
        responseSerialize: raw,
        responseDeserialize: raw,
      },
    },
    {
      export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        const headers = call.metadata.getMap() as ReceivedBatch['headers'];
        if (receive('grpc', path, headers, call.request)) done(null, Buffer.alloc(0));
        else done({ code: GRPC_UNAVAILABLE });
      },
    },
  );
}

await new Promise<void>((resolve) => http.listen(Number(process.argv[2] ?? 0), '127.0.0.1', resolve));
const grpcPort = await new Promise<number>((resolve, reject) => {
  grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
});
process.send?.({ httpPort: (http.address() as AddressInfo).port, grpcPort });
