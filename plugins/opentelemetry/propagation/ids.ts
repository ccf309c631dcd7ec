/** Ids as the formats spell them, and as the gateway does: 32 hex digits of a trace, 16 of a span, lower case. */

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const HEX = /^[0-9a-f]+$/i;
const DECIMAL = /^\d{1,20}$/;
const MAX_SPAN = 0xffff_ffff_ffff_ffffn;

/** Undefined for what is no hex number from 1 with at most so many digits. */
function readHex(text: string | undefined, digits: number): string | undefined {
  if (text === undefined || text.length > digits || !HEX.test(text) || !/[^0]/.test(text)) return undefined;
  return text.toLowerCase().padStart(digits, '0');
}

/** Any number of digits up to 32. */
export function readTraceId(text: string | undefined): string | undefined {
  return readHex(text, TRACE_DIGITS);
}

/** Any number of digits up to 16. */
export function readSpanId(text: string | undefined): string | undefined {
  return readHex(text, SPAN_DIGITS);
}

/** Exactly 16 or 32 digits. */
export function readSizedTraceId(text: string | undefined): string | undefined {
  return text?.length === SPAN_DIGITS || text?.length === TRACE_DIGITS ? readTraceId(text) : undefined;
}

/** Exactly 16 digits. */
export function readSizedSpanId(text: string | undefined): string | undefined {
  return text?.length === SPAN_DIGITS ? readSpanId(text) : undefined;
}

/** A decimal number of 64 bits, as 16 digits of hex. */
export function readDecimalId(text: string | undefined): string | undefined {
  if (text === undefined || !DECIMAL.test(text)) return undefined;
  const number = BigInt(text);
  return number > 0n && number <= MAX_SPAN ? number.toString(16).padStart(SPAN_DIGITS, '0') : undefined;
}

/** The low 64 bits in decimal. */
export function toDecimal(hex: string): string {
  return BigInt(`0x${hex.slice(-SPAN_DIGITS)}`).toString();
}

/** As long as the caller's was. */
export function spellTraceId(traceId: string, hasShortTraceId: boolean): string {
  return hasShortTraceId ? traceId.slice(-SPAN_DIGITS) : traceId;
}

/** `1`, `true`; `0`, `false`; undefined for anything else. */
export function readSampled(text: string | undefined): boolean | undefined {
  const lower = text?.toLowerCase();
  if (lower === '1' || lower === 'true') return true;
  return lower === '0' || lower === 'false' ? false : undefined;
}
