/** `multipart/form-data` (RFC 7578) over latin1 byte text, as far as plugins need it: find, change, add and drop parts. */

export interface Part {
  readonly name: string;
  /** Header block as sent, without the empty line. */
  readonly head: string;
  readonly content: string;
}

const MAX_PARTS = 1000;
const DISPOSITION = /^(content-disposition:[^;\r\n]*)(.*)$/im;
const PARAMETER = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/gy;

export function multipartBoundary(contentType: string): string | undefined {
  const match = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/** Undefined when the text is not a complete multipart body. Parts without a name are left out. */
export function decodeMultipart(bytes: string, boundary: string): Part[] | undefined {
  const delimiter = `\r\n--${boundary}`;
  const text = `\r\n${bytes}`;
  const parts: Part[] = [];
  let at = text.indexOf(delimiter);
  while (at >= 0 && parts.length < MAX_PARTS) {
    const start = at + delimiter.length;
    if (text.startsWith('--', start)) return parts;
    const end = text.indexOf(delimiter, start);
    if (end < 0 || !text.startsWith('\r\n', start)) return undefined;
    const part = decodePart(text.slice(start + 2, end));
    if (part !== undefined) parts.push(part);
    at = end;
  }
  return undefined;
}

export function encodeMultipart(parts: readonly Part[], boundary: string): string {
  const encoded = parts.map(({ head, content }) => `--${boundary}\r\n${head}\r\n\r\n${content}\r\n`);
  return `${encoded.join('')}--${boundary}--\r\n`;
}

/** A field of its own. Name and content are byte text. */
export function createPart(name: string, content: string): Part {
  return { name, head: `Content-Disposition: form-data; name="${escapeName(name)}"`, content };
}

/** The part under another name: what else its head says stays. */
export function renamePart({ head, content }: Part, name: string): Part {
  const [start = '', before = '', parameters = ''] = DISPOSITION.exec(head) ?? [];
  for (const parameter of parameters.matchAll(PARAMETER)) {
    if (parameter[1]?.toLowerCase() !== 'name') continue;
    const at = head.indexOf(start) + before.length + parameter.index;
    const renamed = `${head.slice(0, at)}; name="${escapeName(name)}"${head.slice(at + parameter[0].length)}`;
    return { name, head: renamed, content };
  }
  return createPart(name, content);
}

function escapeName(name: string): string {
  return name.replace(/["\\\r\n]/g, encodeURIComponent);
}

function decodePart(text: string): Part | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const name = findName(head);
  return name === undefined || name === '' ? undefined : { name, head, content: text.slice(headEnd + 4) };
}

/** Parameters are read one after the other, so that a file's name cannot pass for the part's. */
function findName(head: string): string | undefined {
  const parameters = DISPOSITION.exec(head)?.[2] ?? '';
  for (const [, name, quoted, bare] of parameters.matchAll(PARAMETER)) {
    if (name?.toLowerCase() === 'name') return quoted ?? bare;
  }
  return undefined;
}
