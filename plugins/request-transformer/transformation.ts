/** A configuration made ready to be applied. */
import { compileTemplate, type InferConfig, type Template, type TemplateSource } from '@tollgate/sdk';
import { type CompiledRules, compileRules } from './rules.ts';
import type { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;
type Part = 'headers' | 'querystring' | 'body';

/** Undefined: nothing to change there. */
export interface Transformation {
  /** What its templates read. */
  readonly sources: ReadonlySet<TemplateSource>;
  readonly uri: Template | undefined;
  readonly headers: CompiledRules | undefined;
  readonly querystring: CompiledRules | undefined;
  readonly body: CompiledRules | undefined;
}

/** A configuration is one frozen object for as long as it is valid. */
const known = new WeakMap<object, Transformation>();

export function transformationOf(config: Config): Transformation {
  let transformation = known.get(config);
  if (transformation === undefined) {
    transformation = compile(config);
    known.set(config, transformation);
  }
  return transformation;
}

function compile(config: Config): Transformation {
  const uri = config.replace.uri === null ? undefined : compileTemplate(config.replace.uri);
  const headers = compilePart(config, 'headers');
  const querystring = compilePart(config, 'querystring');
  const body = compilePart(config, 'body');
  const sources = new Set([uri, headers, querystring, body].flatMap((each) => [...(each?.sources ?? [])]));
  return { sources, uri, headers, querystring, body };
}

function compilePart(
  { remove, rename, replace, add, append }: Config,
  part: Part,
): CompiledRules | undefined {
  return compileRules({
    remove: remove[part],
    rename: rename[part],
    replace: replace[part],
    add: add[part],
    append: append[part],
  });
}
