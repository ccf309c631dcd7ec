/** Changes to the fields of JSON objects, forms and multipart bodies. Anything else passes as it is. */
import type { AccessKong, ArgumentValue, Outcome, TemplateValues } from '@tollgate/sdk';
import { appendTo, changeFields } from './change-fields.ts';
import type { CompiledRules } from './rules.ts';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const TRANSFORMABLE = [JSON_TYPE, FORM, MULTIPART] as const;
const MAX_ARGUMENTS = 1000;

interface TransformableBody {
  readonly mime: (typeof TRANSFORMABLE)[number];
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Changes the body as `rules` say; with `movesForm` a form goes into the query instead. Answers 413 when the body is
 * too large to be held: it must not pass with what was to be removed.
 */
export async function transformBody(
  kong: AccessKong,
  movesForm: boolean,
  rules: CompiledRules | undefined,
  values: TemplateValues,
): Promise<Outcome> {
  const mime = findType(kong);
  if (mime === undefined || (rules === undefined && mime !== FORM)) return;
  let body: TransformableBody | undefined;
  try {
    body = await readBody(kong, mime);
  } catch (error) {
    kong.log.notice(`the body cannot be transformed: ${messageOf(error)}`);
    return kong.response.error(413);
  }
  if (body === undefined) return;
  if (movesForm && mime === FORM) moveFormToQuery(kong, body);
  else if (rules !== undefined) return changeBody(kong, body, rules, values);
}

function findType({ request }: AccessKong): TransformableBody['mime'] | undefined {
  const contentType = (request.getHeader('content-type') ?? '').trim().toLowerCase();
  return TRANSFORMABLE.find((type) => contentType === type || /^\s*;/.test(restBehind(type, contentType)));
}

/** '' when the text does not begin so. */
function restBehind(start: string, text: string): string {
  return text.startsWith(start) ? text.slice(start.length) : '';
}

/** Undefined when it is malformed, or JSON without names. An empty body has no fields yet. */
async function readBody(
  { request }: AccessKong,
  mime: TransformableBody['mime'],
): Promise<TransformableBody | undefined> {
  const { fields } = await request.getBody();
  if (fields === undefined) return (await request.getRawBody()) === '' ? { mime, fields: {} } : undefined;
  return Array.isArray(fields) ? undefined : { mime, fields };
}

/** Answers 400 when what comes out cannot be written, as a part that holds the boundary between parts. */
function changeBody(
  kong: AccessKong,
  { mime, fields }: TransformableBody,
  rules: CompiledRules,
  values: TemplateValues,
): Outcome {
  const changes = rules.render(values);
  const changed = new Map(Object.entries(fields));
  const applicable = mime === MULTIPART ? { ...changes, append: [] } : changes;
  if (!changeFields(changed, applicable)) return;
  try {
    kong.service.request.setBody(Object.fromEntries(changed), mime);
  } catch (error) {
    kong.log.notice(`the changed body cannot be written: ${messageOf(error)}`);
    return kong.response.error(400);
  }
}

function moveFormToQuery(kong: AccessKong, { fields }: TransformableBody): void {
  const query = new Map<string, unknown>(Object.entries(kong.request.getQuery(MAX_ARGUMENTS)));
  for (const [name, value] of Object.entries(fields)) {
    const moved: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const each of moved) query.set(name, query.has(name) ? appendTo(query.get(name), each) : each);
  }
  kong.service.request.setQuery(Object.fromEntries(query) as Record<string, ArgumentValue>);
  kong.service.request.setRawBody('');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
