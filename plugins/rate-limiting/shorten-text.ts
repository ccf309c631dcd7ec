/** Keeps the keys of counters short, whatever a client puts into a header. Pure. */

const MAX_LENGTH = 256;
const PREFIX_LENGTH = 128;

/**
 * Text of up to 256 characters as it is, longer text as its beginning, length and a 64-bit digest. The digest is no
 * cryptographic one: whoever makes two texts collide shares a counter with himself.
 */
export function shortenText(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  return `${text.slice(0, PREFIX_LENGTH)}#${text.length}#${digest(text, 0x811c9dc5)}${digest(text, 0x1b873593)}`;
}

/** FNV-1a over UTF-16 units, begun at `seed`, as eight hex digits. */
function digest(text: string, seed: number): string {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
