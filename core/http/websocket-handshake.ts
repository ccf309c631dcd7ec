/** What a request says about becoming a WebSocket: RFC 6455 section 4.2.1, checked before anybody else hears of it. */
import type { ErrorCode } from '../errors.ts';

const KEY = /^[A-Za-z0-9+/]{22}==$/;
const VERSION = '13';

/**
 * False for an ordinary request, true for a good handshake, or the code to refuse a bad one with. Other methods than GET
 * and other protocols are ordinary requests, whose `Upgrade` is not passed on. `headers` are flat with lower-case names.
 */
export function judgeHandshake(
  method: string,
  headers: readonly string[],
  bodyLength: number,
): boolean | ErrorCode {
  if (method !== 'GET') return false;
  let upgrade = '';
  let connection = '';
  let key: string | undefined;
  let version: string | undefined;
  let isRepeated = false;
  for (let at = 0; at < headers.length; at += 2) {
    const value = headers[at + 1] as string;
    switch (headers[at]) {
      case 'upgrade':
        upgrade = upgrade === '' ? value : `${upgrade},${value}`;
        break;
      case 'connection':
        connection += `,${value}`;
        break;
      case 'sec-websocket-key':
        isRepeated ||= key !== undefined;
        key = value;
        break;
      case 'sec-websocket-version':
        isRepeated ||= version !== undefined;
        version = value;
        break;
    }
  }
  if (upgrade.toLowerCase() !== 'websocket' || !listsUpgrade(connection)) return false;
  if (bodyLength !== 0 || isRepeated || key === undefined || !KEY.test(key)) return 'GW_BAD_REQUEST';
  return version === VERSION ? true : 'GW_WEBSOCKET_VERSION';
}

function listsUpgrade(connection: string): boolean {
  return connection
    .toLowerCase()
    .split(',')
    .some((entry) => entry.trim() === 'upgrade');
}
