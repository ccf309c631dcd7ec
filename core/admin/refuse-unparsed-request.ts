/** Answers for what Node's HTTP parser refused: such bytes never become a request that Fastify could see. */
import type { Socket } from 'node:net';
import { JSON_TYPE } from './admin-exchange.ts';

const BAD_REQUEST = { head: '400 Bad Request', message: 'Bad request' };

const UNPARSED_REFUSALS: Readonly<Record<string, typeof BAD_REQUEST>> = {
  HPE_INVALID_METHOD: { head: '405 Method Not Allowed', message: 'Method not allowed' },
  HPE_INVALID_URL: {
    head: '400 Bad Request',
    message: 'invalid request target (bytes beyond ASCII must be percent-encoded)',
  },
};

/** A method word that Node does not know is owed its 405 all the same (contract/admin-api.md section 1.3). */
export function refuseUnparsedRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { head, message } = UNPARSED_REFUSALS[error.code ?? ''] ?? BAD_REQUEST;
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${head}\r\nContent-Type: ${JSON_TYPE}\r\nAccess-Control-Allow-Origin: *\r\n` +
      `Access-Control-Allow-Credentials: true\r\nContent-Length: ${body.length}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
