/**
 * Regular expressions of routes, checked when a route is written and compiled when a router is built, and those of schemas.
 *
 * A pattern may only be what V8's linear-time engine can run (no look-ahead, no back-references), but it runs on
 * the ordinary engine, which is 30 times faster on ordinary patterns; after a number of backtracks V8 hands the
 * match over to the linear one. So no path a client sends can make a match expensive.
 * Source: contract/proxy.md sections 2.4, 2.5 and 2.7.
 */
import { setFlagsFromString } from 'node:v8';
import { type RegexSource, translateRegex } from './regex-source.ts';

/** Bounds the time spent on the backtracking engine to some 20 µs. */
const BACKTRACKS_BEFORE_LINEAR = 2000;

let isLinearEngineReady = false;

/** Process-wide and harmless to repeat: worker threads and plugin isolates share V8's flags. */
function readyLinearEngine(): void {
  if (isLinearEngineReady) return;
  setFlagsFromString('--enable-experimental-regexp-engine');
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  setFlagsFromString(`--regexp-backtracks-before-fallback=${BACKTRACKS_BEFORE_LINEAR}`);
  isLinearEngineReady = true;
}

export interface PathRegex {
  /** Sticky: set `lastIndex` to 0 before use, and it is anchored at the start of the path. */
  readonly regex: RegExp;
  readonly literalPrefix: string;
  readonly groupCount: number;
}

/** `source` is a path entry without its `~`. Throws SyntaxError when it is no pattern or cannot run in linear time. */
export function compilePathRegex(source: string): PathRegex {
  const translated = translateRegex(source);
  return {
    regex: compileLinear(translated, 'y'),
    literalPrefix: translated.literalPrefix,
    groupCount: translated.groupCount,
  };
}

/** Sticky RegExp of a path entry without its `~`. Throws like `compilePathRegex`. */
export function compileRoutePathRegex(source: string): RegExp {
  return compilePathRegex(source).regex;
}

/** Text of the Admin API's refusal of a path entry (given without its `~`), undefined for a good one. */
export function checkRoutePathRegex(source: string): string | undefined {
  return checkPattern(source, compileRoutePathRegex);
}

/** Unanchored and blind to case: for the rest of a header value that begins with `~*`. Throws SyntaxError. */
export function compileHeaderRegex(source: string): RegExp {
  return compileLinear(translateRegex(source, true), '');
}

/** Like `checkRoutePathRegex`, for a header value without its `~*`. */
export function checkHeaderRegex(source: string): string | undefined {
  return checkPattern(source, compileHeaderRegex);
}

/** Unanchored: for the patterns of schemas. Throws SyntaxError when it is no pattern or cannot run in linear time. */
export function compileSchemaRegex(source: string): { readonly regex: RegExp; readonly states: number } {
  const translated = translateRegex(source);
  return { regex: compileLinear(translated, ''), states: translated.states };
}

function compileLinear({ source }: RegexSource, flags: string): RegExp {
  readyLinearEngine();
  // Throws where the linear-time engine cannot take over.
  new RegExp(source, `l${flags}`);
  return new RegExp(source, flags);
}

function checkPattern(source: string, compile: (source: string) => RegExp): string | undefined {
  try {
    compile(source);
    return undefined;
  } catch (error) {
    return `invalid regex: '${source}' (PCRE returned: ${reasonOf(error)})`;
  }
}

/** V8 repeats pattern and flags in front of its reason. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Invalid regular expression: .*: /s, '');
}
