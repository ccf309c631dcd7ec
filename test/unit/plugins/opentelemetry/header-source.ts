/** Request headers as a plugin reads them, out of a plain object. */
import type { HeaderSource } from '../../../../plugins/opentelemetry/propagation/trace-headers.ts';

export function headerSource(headers: Readonly<Record<string, string>>): HeaderSource {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    getHeader: (name) => lower.get(name.toLowerCase()),
    getHeaders: () => Object.fromEntries([...lower].map(([name, value]) => [name, [value]])),
  };
}
