/** What a configuration asks for in one form, whichever of its two ways it is written in. Pure. */
import type { InferConfig } from '@tollgate/sdk';
import type { ExtractFormat, Format } from './propagation/formats.ts';
import type { schema } from './schema.ts';

export interface PropagationPlan {
  /** In the order they are tried. */
  readonly extract: readonly ExtractFormat[];
  /** Request headers that do not reach the upstream. */
  readonly clear: readonly string[];
  /** `preserve` stands for the caller's format, or the default one. */
  readonly inject: readonly (Format | 'preserve')[];
  readonly defaultFormat: Format;
}

/** The order of the deprecated `header_type`. */
const LEGACY_EXTRACT: readonly ExtractFormat[] = ['b3', 'w3c', 'jaeger', 'ot', 'datadog', 'aws', 'gcp'];

type Config = Pick<InferConfig<typeof schema>, 'propagation' | 'header_type'>;

/** Any of `extract`, `clear` and `inject` puts `header_type` out of force. */
export function planPropagation({ propagation, header_type }: Config): PropagationPlan {
  const { extract, clear, inject, default_format: defaultFormat } = propagation;
  if (extract !== null || clear !== null || inject !== null) {
    return { extract: extract ?? [], clear: clear ?? [], inject: inject ?? [], defaultFormat };
  }
  switch (header_type) {
    case 'ignore':
      return { extract: [], clear: [], inject: [defaultFormat], defaultFormat };
    case 'preserve':
      return { extract: LEGACY_EXTRACT, clear: [], inject: ['preserve'], defaultFormat };
    default:
      return { extract: LEGACY_EXTRACT, clear: [], inject: ['preserve', header_type], defaultFormat };
  }
}
