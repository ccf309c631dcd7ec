/**
 * Reading headers out of `\nname\0value\n…` text without taking it apart. NUL can stand in neither a name nor a
 * value, so a value that looks like a name is never found.
 */

/** First value of exactly this lower-case name, or undefined. */
export function findHeader(text: string, name: string): string | undefined {
  const at = text.indexOf(`\n${name}\0`);
  if (at < 0) return undefined;
  const start = at + name.length + 2;
  return text.slice(start, text.indexOf('\n', start));
}

export function findHeaderValues(text: string, name: string): string[] {
  const values: string[] = [];
  const marker = `\n${name}\0`;
  for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + 1)) {
    const start = at + marker.length;
    values.push(text.slice(start, text.indexOf('\n', start)));
  }
  return values;
}

/** Lower-case name → values in order, of the headers behind `mark`; '' for the client's. Has no prototype. */
export function groupHeaders(text: string, mark: '' | '>' | '<' = ''): Record<string, string[]> {
  const grouped: Record<string, string[]> = Object.create(null);
  for (const line of text.split('\n')) {
    const at = line.indexOf('\0');
    if (at < 0) continue;
    const isMarked = line.startsWith('>') || line.startsWith('<');
    if (mark === '' ? isMarked : !line.startsWith(mark)) continue;
    const name = line.slice(mark.length, at);
    grouped[name] ??= [];
    grouped[name].push(line.slice(at + 1));
  }
  return grouped;
}

/** The text of flat headers, for answers, whose headers arrive as a list. */
export function joinHeaders(flat: readonly string[]): string {
  let text = '\n';
  for (let at = 0; at + 1 < flat.length; at += 2) text += `${flat[at]?.toLowerCase()}\0${flat[at + 1]}\n`;
  return text;
}
