/** The changes to one part of a request, compiled from lists of `name:template` and rendered for one request. */
import {
  compileTemplate,
  splitEntry,
  type Template,
  type TemplateSource,
  type TemplateValues,
} from '@tollgate/sdk';

/** Lists of entries as configured. */
export interface Entries {
  readonly remove: readonly string[];
  readonly rename: readonly string[];
  readonly replace: readonly string[];
  readonly add: readonly string[];
  readonly append: readonly string[];
}

export interface Change {
  readonly name: string;
  /** A new name for `rename`. */
  readonly value: string;
}

/** In the order in which they apply. */
export interface Changes {
  readonly remove: readonly string[];
  readonly rename: readonly Change[];
  readonly replace: readonly Change[];
  readonly add: readonly Change[];
  readonly append: readonly Change[];
}

/** What expressions come to is passed through `encode`. Throws TypeError where a template cannot be rendered. */
export type RenderChanges = (values: TemplateValues, encode?: (text: string) => string) => Changes;

export interface CompiledRules {
  readonly render: RenderChanges;
  readonly sources: ReadonlySet<TemplateSource>;
}

interface Rule {
  readonly name: string;
  readonly template: Template;
}

/** Undefined when nothing is to be changed. */
export function compileRules(entries: Entries): CompiledRules | undefined {
  if (Object.values(entries).every((list: readonly string[]) => list.length === 0)) return undefined;
  const remove = entries.remove.map((entry) => splitEntry(entry)[0]);
  const rename = entries.rename.map(compileRule);
  const replace = entries.replace.filter(hasValue).map(compileRule);
  const add = entries.add.filter(hasValue).map(compileRule);
  const append = entries.append.filter(hasValue).map(compileRule);
  const rules = [...rename, ...replace, ...add, ...append];
  return {
    sources: new Set(rules.flatMap(({ template }) => [...template.sources])),
    render(values, encode) {
      const renderAll = (list: readonly Rule[]): readonly Change[] =>
        list.map(({ name, template }) => ({ name, value: template.render(values, encode) }));
      return {
        remove,
        rename: renderAll(rename),
        replace: renderAll(replace),
        add: renderAll(add),
        append: renderAll(append),
      };
    },
  };
}

/** Headers may be given without one, which changes nothing, as in Kong. */
const hasValue = (entry: string): boolean => splitEntry(entry)[1] !== '';

function compileRule(entry: string): Rule {
  const [name, value] = splitEntry(entry);
  return { name, template: compileTemplate(value) };
}
