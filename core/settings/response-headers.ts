/** Which headers the tokens of the `headers` setting stand for (contract/proxy.md section 5). */
import type { Settings } from './setting-table.ts';

type HeaderToken = Settings['headers'][number];
export type AddedHeader = Exclude<HeaderToken, 'server_tokens' | 'latency_tokens'>;

const HEADERS_OF_GROUP: Readonly<Record<string, readonly AddedHeader[]>> = {
  server_tokens: ['Server', 'Via'],
  latency_tokens: [
    'X-Kong-Proxy-Latency',
    'X-Kong-Response-Latency',
    'X-Kong-Upstream-Latency',
    'X-Kong-Admin-Latency',
  ],
};

/** The set of headers to add to answers; empty for `off`. */
export function expandHeaderTokens(tokens: readonly HeaderToken[]): ReadonlySet<AddedHeader> {
  return new Set(tokens.flatMap((token) => HEADERS_OF_GROUP[token] ?? [token as AddedHeader]));
}
