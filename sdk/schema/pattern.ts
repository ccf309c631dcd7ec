/**
 * Patterns of schemas. What runs them is up to the process: where strangers' schemas are held against values, none of
 * their patterns may keep it busy (core/entities/schema-patterns.ts).
 */
export interface CompiledPattern {
  test(text: string): boolean;
}

type CompilePattern = (source: string) => CompiledPattern;

/** Schemas are few, and so are the patterns in them. */
const MAX_KEPT = 1000;
const kept = new Map<string, CompiledPattern>();
let compile: CompilePattern = (source) => new RegExp(source, 'u');

/** From now on. Throws what `given` throws where a pattern is used. */
export function compilePatternsWith(given: CompilePattern): void {
  compile = given;
  kept.clear();
}

export function matchesPattern(text: string, source: string): boolean {
  let pattern = kept.get(source);
  if (pattern === undefined) {
    pattern = compile(source);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(source, pattern);
  }
  return pattern.test(text);
}
