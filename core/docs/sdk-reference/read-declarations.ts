/** What the SDK declares, read with the compiler: names, texts of their declarations, docstrings and phases. */
import { fileURLToPath } from 'node:url';
import {
  API,
  type Checker,
  type Project,
  SignatureKind,
  SymbolFlags,
  type Symbol as TypeSymbol,
} from 'typescript/unstable/sync';

export interface Declared {
  readonly name: string;
  /** As written, on one line, without docstrings of its own members. */
  readonly text: string;
  /** '' without one. Markdown. */
  readonly docs: string;
}

/** A member of `kong`, by its path: `request.getHeader`. */
export interface KongMember extends Declared {
  readonly namespace: string;
  readonly phases: readonly Phase[];
  /** Docstring of the interface that declares it, which speaks of capabilities common to its members. */
  readonly common: string;
}

export interface ExportedType extends Declared {
  readonly kind: 'function' | 'type' | 'value';
  readonly members: readonly Declared[];
}

export interface SdkDeclarations {
  readonly kong: readonly KongMember[];
  readonly exports: readonly ExportedType[];
  readonly testing: readonly ExportedType[];
  /** The vocabulary of schemas: members of `s`. */
  readonly schema: readonly Declared[];
  /** What the options of these may be. */
  readonly fields: readonly ExportedType[];
}

export type Phase = 'rewrite' | 'access' | 'response' | 'log';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SDK = `${ROOT}sdk/`;
const KONG_OF: Readonly<Record<Phase, string>> = {
  rewrite: 'RewriteKong',
  access: 'AccessKong',
  response: 'ResponseKong',
  log: 'LogKong',
};

export function readDeclarations(): SdkDeclarations {
  const api = new API({ cwd: ROOT });
  try {
    const [project] = api.updateSnapshot({ openProject: `${ROOT}tsconfig.json` }).getProjects();
    if (project === undefined) throw new Error('there is no project to read');
    const reader = new DeclarationReader(project);
    return {
      kong: reader.kong(),
      exports: reader.exportsOf('index.ts'),
      testing: reader.exportsOf('testing/index.ts'),
      schema: reader.schema(),
      fields: reader
        .exportsOf('schema/index.ts')
        .filter(({ name }) => /^(?:String|Number|List|Map|Record)Field$/.test(name)),
    };
  } finally {
    api.close();
  }
}

class DeclarationReader {
  readonly #project: Project;
  readonly #checker: Checker;

  constructor(project: Project) {
    this.#project = project;
    this.#checker = project.checker;
  }

  kong(): readonly KongMember[] {
    const found = new Map<string, KongMember>();
    for (const phase of Object.keys(KONG_OF) as Phase[]) {
      const kong = this.#exports('index.ts').find(({ name }) => name === KONG_OF[phase]);
      if (kong === undefined) throw new Error(`the SDK exports no ${KONG_OF[phase]}`);
      this.#collect(
        this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(kong)),
        '',
        phase,
        found,
      );
    }
    return [...found.values()];
  }

  #collect(
    symbols: readonly TypeSymbol[],
    namespace: string,
    phase: Phase,
    found: Map<string, KongMember>,
  ): void {
    for (const symbol of symbols) {
      const path = namespace === '' ? symbol.name : `${namespace}.${symbol.name}`;
      const inner = this.#namespaceOf(symbol);
      if (inner !== undefined) {
        this.#collect(inner, path, phase, found);
        continue;
      }
      const known = found.get(path);
      const { name: _, ...declared } = this.#describe(symbol);
      found.set(path, {
        name: path,
        namespace: namespace === '' ? path : namespace,
        phases: [...(known?.phases ?? []), phase],
        common: this.#docsOfParent(symbol),
        ...declared,
        // What a type says that has one signature is said of the member too: `kong.fetch`.
        docs: declared.docs === '' ? this.#docsOfType(symbol) : declared.docs,
      });
    }
  }

  /** Members of what is looked into, such as `kong.request`; undefined for methods and values. */
  #namespaceOf(symbol: TypeSymbol): readonly TypeSymbol[] | undefined {
    const type = this.#checker.getTypeOfSymbol(symbol);
    if (type === undefined || (symbol.flags & SymbolFlags.Method) !== 0) return undefined;
    if (this.#checker.getSignaturesOfType(type, SignatureKind.Call).length > 0) return undefined;
    const members = this.#checker.getPropertiesOfType(type);
    const isOurs = members.length > 0 && members.every((member) => this.#isOurs(member));
    return isOurs && this.#checker.getIndexInfosOfType(type).length === 0 ? members : undefined;
  }

  #isOurs(symbol: TypeSymbol): boolean {
    return symbol.declarations.some(({ path }) => path.startsWith(SDK.toLowerCase()) || path.startsWith(SDK));
  }

  exportsOf(door: string): readonly ExportedType[] {
    return this.#exports(door)
      .filter(({ name }) => name !== 's')
      .map((symbol) => {
        const declared = this.#describe(symbol);
        if ((symbol.flags & SymbolFlags.Function) !== 0)
          return { ...declared, kind: 'function', members: [] };
        const isValue =
          (symbol.flags & (SymbolFlags.Interface | SymbolFlags.TypeAlias | SymbolFlags.Class)) === 0;
        if (isValue) return { ...declared, kind: 'value', members: [] };
        return { ...declared, kind: 'type', members: this.#membersOf(symbol) };
      });
  }

  schema(): readonly Declared[] {
    const s = this.#exports('index.ts').find(({ name }) => name === 's');
    const type = s && this.#checker.getTypeOfSymbol(s);
    if (type === undefined) throw new Error('the SDK exports no s');
    return this.#checker.getPropertiesOfType(type).map((symbol) => {
      const declared = this.#describe(symbol);
      const node = symbol.declarations[0]?.resolve(this.#project);
      const origin =
        (node && this.#checker.getShorthandAssignmentValueSymbol(node)) ??
        this.#checker.getTypeOfSymbol(symbol)?.getSymbol();
      return declared.docs === '' && origin !== undefined
        ? { ...declared, docs: this.#docs(origin) }
        : declared;
    });
  }

  #exports(door: string): readonly TypeSymbol[] {
    const file = this.#project.program.getSourceFile(SDK + door);
    const module = file && this.#checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`the SDK has no ${door}`);
    return this.#checker
      .getExportsOfModule(module)
      .map((symbol) =>
        (symbol.flags & SymbolFlags.Alias) === 0 ? symbol : this.#checker.getAliasedSymbol(symbol),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #membersOf(symbol: TypeSymbol): readonly Declared[] {
    const members = this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol));
    return members
      .filter((member) => this.#isOurs(member) && !member.name.startsWith('__'))
      .map((member) => this.#describe(member));
  }

  #describe(symbol: TypeSymbol): Declared {
    const { name } = symbol;
    return { name, text: this.#text(symbol), docs: this.#docs(symbol) };
  }

  #docs(symbol: TypeSymbol): string {
    return this.#checker.getDocumentationCommentOfSymbol(symbol).trim();
  }

  #docsOfParent(symbol: TypeSymbol): string {
    const parent = symbol.getParent();
    return parent === undefined ? '' : this.#docs(parent);
  }

  #docsOfType(symbol: TypeSymbol): string {
    const alias = this.#checker.getTypeOfSymbol(symbol)?.getAliasSymbol?.();
    return alias === undefined ? '' : this.#docs(alias);
  }

  /** The declaration's own words, as far as they are a signature. */
  #text(symbol: TypeSymbol): string {
    const node = symbol.declarations[0]?.resolve(this.#project);
    return node === undefined ? '' : node.getText();
  }
}
