/** The formats by the names that configurations use. */
import { aws } from './aws.ts';
import { b3, b3Single, extractB3Single } from './b3.ts';
import { datadog } from './datadog.ts';
import { gcp } from './gcp.ts';
import { jaeger } from './jaeger.ts';
import { ot } from './ot.ts';
import type { CallerTrace, HeaderSource, Propagation } from './trace-headers.ts';
import { w3c } from './w3c.ts';

export const EXTRACT_FORMATS = ['ot', 'w3c', 'datadog', 'b3', 'gcp', 'jaeger', 'aws'] as const;
export const FORMATS = [...EXTRACT_FORMATS, 'b3-single'] as const;

export type ExtractFormat = (typeof EXTRACT_FORMATS)[number];
export type Format = (typeof FORMATS)[number];

export const PROPAGATIONS: Readonly<Record<Format, Propagation>> = {
  ot,
  w3c,
  datadog,
  b3,
  'b3-single': b3Single,
  gcp,
  jaeger,
  aws,
};

export interface Extraction {
  readonly caller: CallerTrace;
  /** What the caller's headers were written in; `b3-single` where it used that form of B3. */
  readonly format: Format;
}

/** The first of the formats that the headers say something in. */
export function extractTrace(
  headers: HeaderSource,
  formats: readonly ExtractFormat[],
): Extraction | undefined {
  for (const format of formats) {
    const caller = PROPAGATIONS[format].extract(headers);
    if (caller === undefined) continue;
    const isSingle = format === 'b3' && extractB3Single(headers) !== undefined;
    return { caller, format: isSingle ? 'b3-single' : format };
  }
  return undefined;
}
