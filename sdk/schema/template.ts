/**
 * Texts with expressions in them, `v1/$(headers.x_user or 'nobody')`: a small part of what Kong's templates, which are
 * Lua, can say. Nothing is ever run as code; whatever is not understood is refused when the text is compiled.
 *
 * `or`, `..` (joins texts), parentheses, texts in quotes, whole numbers, and members of four sources, written `a.b`,
 * `a['b']` or `a[1]`. The first element of a list is 1.
 */

export const TEMPLATE_SOURCES = ['headers', 'query_params', 'uri_captures', 'shared'] as const;

/** Where a template takes its values from. */
export type TemplateSource = (typeof TEMPLATE_SOURCES)[number];

/** Member of a source by name or number; undefined or null where there is none. */
export type TemplateValues = Readonly<Record<TemplateSource, (member: string | number) => unknown>>;

/** Made by `compileTemplate`. */
export interface Template {
  /** Sources whose members it reads. */
  readonly sources: ReadonlySet<TemplateSource>;
  /**
   * `encode` is applied to what expressions come to, not to the text around them. Nothing, null and false come to ''.
   * Throws TypeError where there is no text for a value, or a member of nothing is asked for.
   */
  render(values: TemplateValues, encode?: (text: string) => string): string;
}

type Evaluate = (values: TemplateValues) => unknown;
type Part = string | Evaluate;

const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(\d{1,9})(?![\w.])|"((?:[^"\\]|\\["'\\])*)"|'((?:[^'\\]|\\["'\\])*)'|(\.\.|[.()[\]]))/y;
const MAX_DEPTH = 32;
const KEYWORDS = new Set([
  'or',
  'and',
  'not',
  'nil',
  'true',
  'false',
  'function',
  'end',
  'if',
  'then',
  'else',
  'return',
]);

/** Throws SyntaxError with a reason that an operator can act upon. */
export function compileTemplate(text: string): Template {
  const parts: Part[] = [];
  const sources = new Set<TemplateSource>();
  let at = 0;
  for (let start = text.indexOf('$('); start >= 0; start = text.indexOf('$(', at)) {
    parts.push(text.slice(at, start));
    const reader = new ExpressionReader(text, start + 2, sources);
    parts.push(reader.readToEnd());
    at = reader.at;
  }
  parts.push(text.slice(at));
  return {
    sources,
    render: (values, encode = (each) => each) =>
      parts.map((part) => (typeof part === 'string' ? part : encode(textOf(part(values))))).join(''),
  };
}

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign';
  readonly text: string;
}

class ExpressionReader {
  at: number;
  readonly #text: string;
  readonly #sources: Set<TemplateSource>;
  #depth = 0;

  constructor(text: string, at: number, sources: Set<TemplateSource>) {
    this.#text = text;
    this.at = at;
    this.#sources = sources;
  }

  /** The expression, and the `)` behind it. */
  readToEnd(): Evaluate {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError('too many parentheses');
    const evaluate = this.#readAlternatives();
    this.#expect(')');
    this.#depth--;
    return evaluate;
  }

  #readAlternatives(): Evaluate {
    const alternatives = [this.#readJoined()];
    while (this.#skip('name', 'or')) alternatives.push(this.#readJoined());
    const [only] = alternatives;
    if (alternatives.length === 1 && only !== undefined) return only;
    return (values) => {
      let value: unknown;
      for (const evaluate of alternatives) {
        value = evaluate(values);
        if (!isNothing(value)) return value;
      }
      return value;
    };
  }

  #readJoined(): Evaluate {
    const operands = [this.#readOperand()];
    while (this.#skip('sign', '..')) operands.push(this.#readOperand());
    const [only] = operands;
    if (operands.length === 1 && only !== undefined) return only;
    return (values) => operands.map((evaluate) => joinable(evaluate(values))).join('');
  }

  #readOperand(): Evaluate {
    const token = this.#next();
    if (token.kind === 'text') return () => token.text;
    if (token.kind === 'number') return () => Number(token.text);
    if (token.kind === 'sign' && token.text === '(') return this.readToEnd();
    if (token.kind === 'name' && !KEYWORDS.has(token.text)) return this.#readMember(token.text);
    throw this.#unexpected(token);
  }

  #readMember(name: string): Evaluate {
    const source = TEMPLATE_SOURCES.find((known) => known === name);
    if (source === undefined)
      throw new SyntaxError(`'${name}' is not known here, only ${TEMPLATE_SOURCES.join(', ')}`);
    this.#sources.add(source);
    const path: (string | number)[] = [];
    for (let key = this.#readKey(); key !== undefined; key = this.#readKey()) path.push(key);
    const [first, ...rest] = path;
    if (first === undefined)
      throw new SyntaxError(`'${name}' needs a member, as in ${name}.x or ${name}['x']`);
    return (values) => rest.reduce(memberOf, values[source](first));
  }

  #readKey(): string | number | undefined {
    if (this.#skip('sign', '.')) {
      const token = this.#next();
      if (token.kind !== 'name' || KEYWORDS.has(token.text)) throw this.#unexpected(token);
      return token.text;
    }
    if (!this.#skip('sign', '[')) return undefined;
    const token = this.#next();
    if (token.kind !== 'text' && token.kind !== 'number') throw this.#unexpected(token);
    this.#expect(']');
    return token.kind === 'number' ? Number(token.text) : token.text;
  }

  #next(): Token {
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.#text);
    if (match === null) {
      const rest = this.#text.slice(this.at).trimStart();
      throw new SyntaxError(
        rest === '' ? "an expression has no ')' at its end" : `unexpected '${rest.charAt(0)}'`,
      );
    }
    this.at = TOKEN.lastIndex;
    const [, name, number, double, single, sign] = match;
    if (name !== undefined) return { kind: 'name', text: name };
    if (number !== undefined) return { kind: 'number', text: number };
    if (sign !== undefined) return { kind: 'sign', text: sign };
    return { kind: 'text', text: (double ?? single ?? '').replace(/\\(.)/g, '$1') };
  }

  /** Goes past the next token if it is this one. */
  #skip(kind: Token['kind'], text: string): boolean {
    const { at } = this;
    if (this.#text.slice(at).trim() === '') return false;
    TOKEN.lastIndex = at;
    if (!TOKEN.test(this.#text)) return false;
    const token = this.#next();
    if (token.kind === kind && token.text === text) return true;
    this.at = at;
    return false;
  }

  #expect(sign: string): void {
    const token = this.#next();
    if (token.kind !== 'sign' || token.text !== sign) throw this.#unexpected(token);
  }

  #unexpected({ text }: Token): SyntaxError {
    return new SyntaxError(`unexpected '${text}'`);
  }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === false;
}

function memberOf(owner: unknown, key: string | number): unknown {
  if (Array.isArray(owner)) return typeof key === 'number' ? owner[key - 1] : undefined;
  if (typeof owner !== 'object' || owner === null)
    throw new TypeError(`there is no member '${key}' of something that is no table`);
  return Object.hasOwn(owner, key) ? (owner as Readonly<Record<string, unknown>>)[key] : undefined;
}

/** Lua joins texts and numbers, and nothing else. */
function joinable(value: unknown): string {
  const [first] = Array.isArray(value) ? value : [value];
  if (typeof first !== 'string' && typeof first !== 'number')
    throw new TypeError(
      `'..' joins texts and numbers, not ${first === undefined ? 'nothing' : typeof first}`,
    );
  return String(first);
}

/** A repeated header or argument counts with its first value. */
function textOf(value: unknown): string {
  const [first] = Array.isArray(value) ? value : [value];
  if (isNothing(first)) return '';
  if (typeof first === 'object' || typeof first === 'function' || typeof first === 'symbol')
    throw new TypeError('a table has no text');
  return String(first);
}
