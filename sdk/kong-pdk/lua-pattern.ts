/** Patterns of Lua, which Kong's schemas are written with, as regular expressions of JavaScript. */

/** What stands between the brackets of a class: letters of ASCII, as Lua's `C` locale has it. */
const CLASSES: Readonly<Record<string, string>> = {
  a: 'A-Za-z',
  c: '\\x00-\\x1f\\x7f',
  d: '0-9',
  g: '!-~',
  l: 'a-z',
  p: '!-\\/:-@\\[-`\\{-~',
  s: '\\t-\\r ',
  u: 'A-Z',
  w: 'A-Za-z0-9',
  x: '0-9A-Fa-f',
};

/** The same for what is not in the class, where it has to stand beside others. */
const COMPLEMENTS: Readonly<Record<string, string>> = {
  A: '\\x00-@\\[-`\\{-\\uffff',
  D: '\\D',
  L: '\\x00-`\\{-\\uffff',
  S: '\\x00-\\x08\\x0e-\\x1f!-\\uffff',
  U: '\\x00-@\\[-\\uffff',
  W: '\\x00-\\/:-@\\[-`\\{-\\uffff',
};

/** Source for a RegExp with the flag `u`. Throws TypeError on `%b`, `%f`, back references and what is no pattern. */
export function translatePattern(pattern: string): string {
  const source = new PatternReader(pattern).read();
  try {
    new RegExp(source, 'u');
  } catch (error) {
    throw new TypeError(`'${pattern}' is no pattern`, { cause: error });
  }
  return source;
}

class PatternReader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): string {
    let source = '';
    if (this.#pattern.startsWith('^')) {
      source = '^';
      this.#at = 1;
    }
    while (this.#at < this.#pattern.length) source += this.#readItem();
    return source;
  }

  #readItem(): string {
    const character = this.#take();
    if (character === '(' || character === ')') return character;
    if (character === '$' && this.#at === this.#pattern.length) return '$';
    return this.#readSingle(character) + this.#readRepetition();
  }

  #readSingle(character: string): string {
    switch (character) {
      case '.':
        return '[^]';
      case '%':
        return this.#readEscape();
      case '[':
        return this.#readSet();
      default:
        return escapeLiteral(character);
    }
  }

  /** `-` is the lazy star. */
  #readRepetition(): string {
    const next = this.#pattern[this.#at] ?? '';
    if (!'*+?-'.includes(next) || next === '') return '';
    this.#at++;
    return next === '-' ? '*?' : next;
  }

  #readEscape(): string {
    const name = this.#take();
    const inside = CLASSES[name.toLowerCase()];
    if (inside !== undefined) return name === name.toLowerCase() ? `[${inside}]` : `[^${inside}]`;
    if (/[A-Za-z0-9]/.test(name)) throw this.#refusal(`%${name}`);
    return escapeLiteral(name);
  }

  #readSet(): string {
    let source = '[';
    if (this.#pattern[this.#at] === '^') {
      source += '^';
      this.#at++;
    }
    // A bracket in the first place stands for itself.
    do source += this.#readMember();
    while (this.#pattern[this.#at] !== ']');
    this.#at++;
    return `${source}]`;
  }

  #readMember(): string {
    const character = this.#take();
    if (character === '%') {
      const name = this.#take();
      const inside = CLASSES[name] ?? COMPLEMENTS[name];
      if (inside !== undefined) return inside;
      if (/[A-Za-z0-9]/.test(name)) throw this.#refusal(`%${name} in a set`);
      return escapeMember(name);
    }
    const end = this.#pattern[this.#at + 1];
    if (this.#pattern[this.#at] !== '-' || end === undefined || end === ']') return escapeMember(character);
    this.#at += 2;
    return `${escapeMember(character)}-${escapeMember(end)}`;
  }

  #take(): string {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#pattern.length) throw this.#refusal('an end in the middle');
    this.#at += character.length;
    return character;
  }

  #refusal(what: string): TypeError {
    return new TypeError(`the pattern '${this.#pattern}' has ${what}, which cannot be told in JavaScript`);
  }
}

function escapeLiteral(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function escapeMember(character: string): string {
  return /[\\^\]\-[]/.test(character) ? `\\${character}` : character;
}
