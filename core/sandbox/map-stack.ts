/** Stacks of a bundle as its author knows the lines. Pure. */
import { SourceMap } from 'node:module';

/** Code of ours that calls plugins: no line of it says anything to an author. */
const GUEST_SOURCE = '@tollgate/sdk/guest/';

export interface MappedPackage {
  /** Of the bundle: frames name it as `<name>.js`. */
  readonly name: string;
  /** JSON. */
  readonly sourceMap: string;
}

/** `locate` turns the name of a source into what is shown; by default it stays. */
export function createStackMapper(
  { name, sourceMap }: MappedPackage,
  locate: (source: string) => string = (source) => source,
): (stack: string) => string {
  const map = new SourceMap(JSON.parse(sourceMap));
  const script = `${name}.js:`;
  const mapLine = (line: string): string | undefined => {
    const start = line.indexOf(script);
    const place = start < 0 ? null : /^(\d+):(\d+)/.exec(line.slice(start + script.length));
    if (place === null) return line;
    const [text, row, column] = place;
    const origin = map.findOrigin(Number(row), Number(column));
    if (!('fileName' in origin)) return line;
    if (origin.fileName.startsWith(GUEST_SOURCE)) return undefined;
    const rest = line.slice(start + script.length + text.length);
    return `${line.slice(0, start)}${locate(origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}${rest}`;
  };
  return (stack) =>
    stack
      .split('\n')
      .flatMap((line) => mapLine(line) ?? [])
      .join('\n');
}
