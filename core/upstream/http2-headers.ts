/** The head of a request as HTTP/2 has it, from the text that HTTP/1 has. Pure. */

/** Of an HTTP/1 connection (RFC 9113 section 8.2.2); `Host` is `:authority`. */
const DROPPED: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** `head`: request line and headers with CRLFs. Flat: pseudo-headers first. */
export function toHttp2Headers(head: string, scheme: 'http' | 'https'): readonly string[] {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const [method = '', target = ''] = requestLine.split(' ');
  const headers: string[] = [];
  let authority = '';
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'host') authority = value;
    if (!DROPPED.has(name)) headers.push(name, value);
  }
  return [':method', method, ':path', target, ':scheme', scheme, ':authority', authority, ...headers];
}
