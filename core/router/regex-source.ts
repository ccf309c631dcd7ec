/**
 * The pattern language of routes, translated to JavaScript's: tokens, and the few rewritings that let patterns
 * written for PCRE run on V8's linear-time engine. What would silently mean something else is refused.
 */

type TokenKind = 'flag' | 'literal' | 'set' | 'assertion' | 'open' | 'close' | 'alternation' | 'quantifier';

interface Token {
  readonly kind: TokenKind;
  /** JavaScript source of the token. */
  readonly text: string;
}

export interface RegexSource {
  /** For `new RegExp`, without flags. */
  readonly source: string;
  /** Text every match begins with; '' when there is none or it is not obvious. */
  readonly literalPrefix: string;
  /** Number of capturing groups. */
  readonly groupCount: number;
  /** Characters and sets, counted as often as they are repeated: what a character of text can cost. */
  readonly states: number;
}

const TOKEN =
  /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?i\)|\(\?P?<(?![=!])[^>]*>|\(\?<?[:=!]|\(|\)|\||[*+?]\??|\{\d+(?:,\d*)?\}\??|[\s\S]/y;

const IGNORE_CASE = '(?i)';
/** Escapes of PCRE that JavaScript spells differently. */
const TRANSLATED_ESCAPES: Readonly<Record<string, string>> = { '\\A': '^', '\\z': '$', '\\Z': '$' };
const SET_ESCAPES = new Set(['\\d', '\\D', '\\w', '\\W', '\\s', '\\S']);
const CONTROL_ESCAPES = /^\\(?:[fnrtv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})$/;

/** Longest repetition V8's linear-time engine takes; longer ones are written out. */
const MAX_REPEAT = 16;
const MAX_WRITTEN_REPEAT = 1024;
/**
 * The linear-time engine may keep every state of a pattern busy at every character: some 25 ns each, so that the
 * longest path (8 KiB) costs 0.1 s with this many states, and 16 s with the repetitions it would take without a bound.
 */
const MAX_STATES = 512;

/** Throws SyntaxError with the reason. Case is also ignored behind a `(?i)` outside of groups. */
export function translateRegex(pattern: string, ignoreCase = false): RegexSource {
  const tokens = applyIgnoreCase(tokenize(pattern), ignoreCase);
  const states = countStates(tokens);
  if (states > MAX_STATES) {
    throw new SyntaxError(
      `with its repetitions written out the pattern has more than ${MAX_STATES} characters`,
    );
  }
  return {
    source: writeSource(tokens),
    literalPrefix: findLiteralPrefix(tokens),
    groupCount: tokens.filter(({ kind, text }) => kind === 'open' && isCapturing(text)).length,
    states,
  };
}

/** Characters and sets the pattern consists of, counted as often as they are repeated. */
function countStates(tokens: readonly Token[]): number {
  const outer: number[] = [];
  let total = 0;
  let last = 0;
  for (const { kind, text } of tokens) {
    if (kind === 'open') {
      outer.push(total);
      total = 0;
    } else if (kind === 'close') {
      last = total;
      total += outer.pop() ?? 0;
    } else if (kind === 'quantifier') {
      total += last * (countTimes(text) - 1);
    } else {
      last = kind === 'literal' || kind === 'set' ? 1 : 0;
      total += last;
    }
  }
  return total;
}

/** How often a quantifier writes what it repeats. */
function countTimes(quantifier: string): number {
  const [, least = '1', most = least] = /^\{(\d+)(?:,(\d*))?\}/.exec(quantifier) ?? [];
  return Math.max(1, Number(least), Number(most));
}

/** The `i` flag is not for the linear-time engine, so both cases are written out. */
function applyIgnoreCase(tokens: readonly Token[], fromStart: boolean): Token[] {
  const result: Token[] = [];
  let ignoresCase = fromStart;
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'open') depth++;
    else if (token.kind === 'close') depth--;
    if (token.kind !== 'flag') result.push(ignoresCase ? foldCase(token) : token);
    else if (depth > 0) throw new SyntaxError(`${IGNORE_CASE} inside a group is not supported`);
    else ignoresCase = true;
  }
  return result;
}

function isCapturing(open: string): boolean {
  return open === '(' || /^\(\?<[^=!]/.test(open);
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(pattern); match !== null; match = TOKEN.exec(pattern))
    tokens.push(classify(match[0]));
  return tokens;
}

function classify(text: string): Token {
  if (text.length > 1 && text.startsWith('\\')) return classifyEscape(text);
  if (text.length > 1 && text.startsWith('[')) return classifySet(text);
  if (text === IGNORE_CASE) return { kind: 'flag', text };
  if (text.startsWith('(')) return { kind: 'open', text: text.replace('(?P<', '(?<') };
  if (text === ')') return { kind: 'close', text };
  if (text === '|') return { kind: 'alternation', text };
  if (text === '^' || text === '$') return { kind: 'assertion', text };
  if (text === '.') return { kind: 'set', text };
  if (/^(?:[*+?]|\{\d)/.test(text)) return { kind: 'quantifier', text };
  return { kind: 'literal', text };
}

function classifyEscape(text: string): Token {
  const translated = TRANSLATED_ESCAPES[text];
  if (translated !== undefined) return { kind: 'assertion', text: translated };
  if (text === '\\b' || text === '\\B') return { kind: 'assertion', text };
  if (SET_ESCAPES.has(text) || CONTROL_ESCAPES.test(text)) return { kind: 'set', text };
  // JavaScript reads an escape it does not know as the bare letter: a different pattern without a warning.
  if (/^\\[A-Za-z0-9]/.test(text)) throw new SyntaxError(`the escape ${text} is not supported`);
  return { kind: 'literal', text };
}

function classifySet(text: string): Token {
  if (/\[:\w+:\]/.test(text)) {
    throw new SyntaxError('POSIX classes such as [:alpha:] are not supported');
  }
  for (const [member] of text.matchAll(/\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])/g)) {
    const isKnown = SET_ESCAPES.has(member) || CONTROL_ESCAPES.test(member) || member === '\\b';
    if (!isKnown && /^\\[A-Za-z0-9]/.test(member)) {
      throw new SyntaxError(`the escape ${member} is not supported`);
    }
  }
  return { kind: 'set', text };
}

function foldCase(token: Token): Token {
  if (token.kind === 'literal' && isLetter(token.text)) {
    return { kind: 'set', text: `[${token.text.toLowerCase()}${token.text.toUpperCase()}]` };
  }
  if (token.kind !== 'set' || !token.text.startsWith('[')) return token;
  const body = token.text.slice(1, -1);
  const otherCase = [...body.matchAll(/\\[\s\S]|([A-Za-z])-([A-Za-z])|([A-Za-z])/g)]
    .filter(([text]) => !text.startsWith('\\'))
    .map(([text]) => (text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase()));
  return { kind: 'set', text: `[${body}${otherCase.join('')}]` };
}

function isLetter(text: string): boolean {
  return text.toLowerCase() !== text.toUpperCase();
}

function writeSource(tokens: readonly Token[]): string {
  let source = '';
  for (const [index, token] of tokens.entries()) {
    const repeated = tokens[index - 1];
    const isSingle = repeated?.kind === 'literal' || repeated?.kind === 'set';
    const written =
      token.kind === 'quantifier' && isSingle ? writeRepeat(repeated.text, token.text) : undefined;
    source = written === undefined ? source + token.text : source.slice(0, -repeated!.text.length) + written;
  }
  return source;
}

/** `x{36}` as `x{16}x{16}x{4}`; undefined when it can stay as it is. */
function writeRepeat(atom: string, quantifier: string): string | undefined {
  const [, least = '', comma, most = '', lazy = ''] = /^\{(\d+)(,?)(\d*)\}(\??)$/.exec(quantifier) ?? [];
  const min = Number(least);
  const max = comma === '' ? min : Number(most || least);
  if (least === '' || Math.max(min, max) <= MAX_REPEAT || Math.max(min, max) > MAX_WRITTEN_REPEAT)
    return undefined;
  const required = writeTimes(min, (count) => `${atom}{${count}}`);
  if (comma === ',' && most === '') return `${required}${atom}*${lazy}`;
  return required + writeTimes(max - min, (count) => `${atom}{0,${count}}${lazy}`);
}

function writeTimes(total: number, write: (count: number) => string): string {
  const rest = total % MAX_REPEAT;
  return write(MAX_REPEAT).repeat(Math.floor(total / MAX_REPEAT)) + (rest > 0 ? write(rest) : '');
}

function findLiteralPrefix(tokens: readonly Token[]): string {
  if (hasTopLevelAlternation(tokens)) return '';
  let prefix = '';
  const start = tokens[0]?.text === '^' ? 1 : 0;
  for (let index = start; index < tokens.length; index++) {
    const token = tokens[index] as Token;
    if (token.kind !== 'literal') break;
    const next = tokens[index + 1];
    // The character before a quantifier may be absent.
    if (next?.kind === 'quantifier') break;
    prefix += token.text.length === 2 && token.text.startsWith('\\') ? token.text.slice(1) : token.text;
  }
  return prefix;
}

function hasTopLevelAlternation(tokens: readonly Token[]): boolean {
  let depth = 0;
  for (const { kind } of tokens) {
    if (kind === 'open') depth++;
    else if (kind === 'close') depth--;
    else if (kind === 'alternation' && depth === 0) return true;
  }
  return false;
}
