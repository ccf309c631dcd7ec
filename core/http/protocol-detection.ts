/** Tells on a connection in the clear which version of HTTP its client has begun to speak. */
import type { Socket } from 'node:net';

/** With which every HTTP/2 connection begins (RFC 9113 section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Calls back once it is certain, with every byte still to be read from the socket. A silent client is cut off. */
export function detectHttp2(socket: Socket, timeoutMs: number, proceed: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const giveUp = () => socket.destroy();
  const timer = setTimeout(giveUp, timeoutMs);
  const take = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, PREFACE.length);
    const isAlike = seen.subarray(0, compared).equals(PREFACE.subarray(0, compared));
    if (isAlike && compared < PREFACE.length) return;
    clearTimeout(timer);
    socket.off('data', take).off('end', giveUp).off('error', giveUp);
    socket.pause();
    socket.unshift(seen);
    proceed(isAlike);
    // HTTP/2 takes what is there by itself.
    if (!isAlike) socket.resume();
  };
  socket.on('data', take).on('end', giveUp).on('error', giveUp);
  socket.once('close', () => clearTimeout(timer));
}
