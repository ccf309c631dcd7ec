/** One request as raw text over a socket, for what a well-behaved client cannot send. */
import { connect } from 'node:net';

/** Lines are joined by CRLF; characters count as bytes. Resolves with all that came until the server closed. */
export function exchangeRaw(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.write(lines.join('\r\n'), 'latin1');
  });
}
