/** Bytes travel over the wall as latin1 text, one character a byte. ECMAScript alone has no TextDecoder. */

/** UTF-8 text of the bytes, or the latin1 text itself where they are not valid UTF-8. */
export function textFromBytes(latin1: string): string {
  return decodeUtf8(latin1) ?? latin1;
}

/** UTF-8 text of the bytes; undefined where they are not valid UTF-8. */
export function decodeUtf8(latin1: string): string | undefined {
  let escaped = '';
  let hasHighBytes = false;
  for (let at = 0; at < latin1.length; at++) {
    if (latin1.charCodeAt(at) > 0x7f) {
      hasHighBytes = true;
      break;
    }
  }
  if (!hasHighBytes) return latin1;
  for (let at = 0; at < latin1.length; at++) {
    const code = latin1.charCodeAt(at);
    escaped += code > 0x7f || code === 0x25 ? `%${code.toString(16).padStart(2, '0')}` : latin1[at];
  }
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}

/** The UTF-8 bytes of `text`, one character each. */
export function bytesFromText(text: string): string {
  let bytes = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) bytes += character;
    else
      bytes += encodeURIComponent(character.isWellFormed() ? character : '\ufffd').replace(
        /%([0-9A-F]{2})/g,
        (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
      );
  }
  return bytes;
}
