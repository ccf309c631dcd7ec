/**
 * Request bodies: which content types are taken, and how each becomes an object of members
 * (contract/admin-api.md section 1.4).
 */
import type { RequestInput } from './admin-exchange.ts';
import { unreadableJson, unsupportedMediaType } from './admin-refusal.ts';
import { buildFormTree } from './form-tree.ts';
import { checkArgumentCount, parseArguments } from './parse-arguments.ts';

export type BodyKind = 'json' | 'form' | 'multipart' | 'yaml' | 'none';

export const NO_INPUT: RequestInput = { members: {}, isForm: false };

/** Deeper values would exhaust the stack of recursive validation. */
const MAX_JSON_DEPTH = 128;

/** Chooses by case-sensitive prefix, as Kong does. Throws 415 for anything else. */
export function bodyKind(contentType: string | undefined, hasBody: boolean, acceptsYaml: boolean): BodyKind {
  if (contentType === undefined) {
    if (hasBody) throw unsupportedMediaType();
    return 'none';
  }
  if (contentType.startsWith('application/json')) return 'json';
  if (contentType.startsWith('application/x-www-form-urlencoded')) return 'form';
  if (contentType.startsWith('multipart/form-data')) return 'multipart';
  const isYaml = contentType.startsWith('application/yaml') || contentType.startsWith('text/yaml');
  if (isYaml && acceptsYaml) return 'yaml';
  throw unsupportedMediaType();
}

/** Throws 400 for unreadable JSON and for more than 1000 form fields. YAML is left to its endpoint. */
export async function decodeBody(kind: BodyKind, contentType: string, body: Buffer): Promise<RequestInput> {
  if (kind === 'json') return { members: parseJsonObject(body), isForm: false };
  if (kind === 'form') return { members: parseForm(body), isForm: true };
  if (kind === 'multipart') return { members: await parseMultipart(contentType, body), isForm: true };
  return NO_INPUT;
}

function parseJsonObject(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw unreadableJson();
  }
  if (typeof value !== 'object' || value === null || isDeeperThan(value, MAX_JSON_DEPTH))
    throw unreadableJson();
  return Array.isArray(value) ? {} : (value as Record<string, unknown>);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}

function parseForm(body: Buffer): Record<string, unknown> {
  const fields = parseArguments(body.toString('latin1'));
  return buildFormTree(fields.map(({ name, value }) => [name, value] as const));
}

/** A body without its boundary, or cut short, counts as no fields. */
async function parseMultipart(contentType: string, body: Buffer): Promise<Record<string, unknown>> {
  const form = await readFormData(contentType, body);
  if (form === undefined) return {};
  const pairs: (readonly [string, string])[] = [];
  for (const [name, value] of form)
    pairs.push([name, typeof value === 'string' ? value : await value.text()]);
  checkArgumentCount(pairs.length);
  return buildFormTree(pairs);
}

async function readFormData(contentType: string, body: Buffer): Promise<FormData | undefined> {
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  } catch {
    return undefined;
  }
}
