/**
 * What a gRPC client reads instead of a body: a status of its own and a message, as headers.
 * Source: contract/proxy.md sections 6.1 and 6.4.
 */
const GRPC_TYPE = 'application/grpc';

/** OK, CANCELLED, INVALID_ARGUMENT, and so on by their numbers. */
const STATUSES: Readonly<Record<number, number>> = {
  200: 0,
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 6,
  429: 8,
  499: 1,
  500: 13,
  501: 12,
  503: 14,
  504: 4,
};
const OK = 0;
const INVALID_ARGUMENT = 3;
const INTERNAL = 13;

export function isGrpcType(contentType: string | undefined): boolean {
  return contentType?.startsWith(GRPC_TYPE) === true;
}

/** Flat headers for an HTTP status. */
export function describeToGrpc(status: number, message: string): readonly string[] {
  return ['grpc-status', String(grpcStatusOf(status)), 'grpc-message', encodeMessage(message)];
}

function grpcStatusOf(status: number): number {
  if (status < 400) return STATUSES[status] ?? OK;
  return STATUSES[status] ?? (status < 500 ? INVALID_ARGUMENT : INTERNAL);
}

/** Percent-encoded where it is not printable ASCII, as gRPC wants it. */
function encodeMessage(message: string): string {
  return Array.from(Buffer.from(message, 'utf8'), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
