/** The table of a plugin's configuration, from its schema, and its place in a README. Pure. */
import type { EntityCheck, FieldDefinition, FieldMap, RecordField } from '../../sdk/schema/fields.ts';

const BEGIN = '<!-- configuration: written from the schema -->';
const END = '<!-- end of configuration -->';
const BETWEEN = new RegExp(`${BEGIN}[\\s\\S]*?${END}`);

/** The text with the table between its marks anew; at its end where there are none. */
export function fillConfiguration(readme: string, schema: RecordField): string {
  const block = `${BEGIN}\n${renderConfiguration(schema)}${END}`;
  if (BETWEEN.test(readme)) return readme.replace(BETWEEN, () => block);
  return `${readme.trimEnd()}\n\n## Configuration\n\n${block}\n`;
}

/** Markdown: a row for each field, and what holds across fields. */
export function renderConfiguration({ fields, checks = [], shorthands = {} }: RecordField): string {
  const rows = listRows(fields, '').map(
    ({ path, field }) =>
      `| \`${path}\` | ${describeType(field)} | ${describeDefault(field)} | ${describeMeaning(field)} |`,
  );
  const old = Object.entries(shorthands).map(
    ([name, { replaced_with }]) => `\`${name}\` for \`${replaced_with.join('.')}\``,
  );
  const rules = [
    ...checks.flatMap(describeCheck),
    ...(old.length === 0 ? [] : [`Older names are accepted too: ${old.join(', ')}.`]),
  ];
  if (rows.length === 0) return 'Nothing is configured.\n';
  const table = ['| config | type | default | meaning |', '| --- | --- | --- | --- |', ...rows];
  return `${[...table, ...(rules.length === 0 ? [] : ['', ...rules])].join('\n')}\n`;
}

interface Row {
  readonly path: string;
  readonly field: FieldDefinition;
}

/** Fields of records follow them; a record that says nothing of itself has no row. */
function listRows(fields: FieldMap, prefix: string): readonly Row[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = prefix + name;
    if (field.type !== 'record') return [{ path, field }];
    const inner = listRows(field.fields, `${path}.`);
    return field.description === undefined ? inner : [{ path, field }, ...inner];
  });
}

function describeType(field: FieldDefinition): string {
  switch (field.type) {
    case 'array':
    case 'set':
      return `${field.type === 'set' ? 'set' : 'list'} of ${describeType(field.elements)}`;
    case 'map':
      return `map of ${describeType(field.keys)} to ${describeType(field.values)}`;
    case 'record':
      return `record of ${Object.keys(field.fields)
        .map((name) => `\`${name}\``)
        .join(', ')}`;
    case 'foreign':
      return `reference to ${field.reference}`;
    case 'string':
      return field.one_of?.map((word) => `\`${word}\``).join(', ') ?? describeText(field);
    case 'boolean':
      return 'boolean';
    default:
      return field.type + describeRange(field);
  }
}

function describeText({
  format,
  uuid,
  len_max,
  starts_with,
}: FieldDefinition & { readonly type: 'string' }): string {
  if (uuid === true) return 'UUID';
  const kind = format === undefined ? 'string' : (NAMES_OF_FORMATS[format] ?? 'string');
  const start = starts_with === undefined ? '' : ` from \`${starts_with}\` on`;
  return `${kind}${kind === 'string' ? start : ''}${len_max === undefined ? '' : `, up to ${len_max} characters`}`;
}

const NAMES_OF_FORMATS: Readonly<Record<string, string>> = {
  header_name: 'header name',
  cookie_name: 'cookie name',
  host: 'host',
  path: 'path',
  url: 'URL',
  sni: 'server name',
  ip: 'address',
  ip_or_cidr: 'address or range',
  template: 'template',
};

function describeRange({
  between,
  gt,
  one_of,
}: FieldDefinition & { readonly type: 'number' | 'integer' }): string {
  if (between !== undefined) return `, ${between[0]}…${between[1]}`;
  if (gt !== undefined) return `, above ${gt}`;
  return one_of === undefined ? '' : `: ${one_of.join(', ')}`;
}

function describeDefault(field: FieldDefinition): string {
  if (field.type === 'record') return '';
  if (field.default !== undefined)
    return `\`${escapeCell(JSON.stringify(field.default).replaceAll(/^"|"$/g, ''))}\``;
  return field.required === true ? '**required**' : 'none';
}

function describeMeaning(field: FieldDefinition): string {
  const { description = '', referenceable, deprecation } = field;
  const remarks = [
    description.trim(),
    ...(referenceable === true ? ['May be `{vault://…}`.'] : []),
    ...(deprecation === undefined ? [] : ['Deprecated.']),
  ];
  return escapeCell(remarks.join(' ').trim().replaceAll(/\s+/g, ' '));
}

/** Rules that take more than a sentence are left to descriptions. */
function describeCheck(check: EntityCheck): readonly string[] {
  if (!('fields' in check)) return [];
  const fields = check.fields.map((name) => `\`${name}\``).join(', ');
  switch (check.kind) {
    case 'at_least_one_of':
      return [`At least one of ${fields} has to be given.`];
    case 'only_one_of':
      return [`Exactly one of ${fields} has to be given.`];
    case 'mutually_required':
      return [`All of ${fields} are given, or none.`];
    case 'mutually_exclusive':
      return [`Only one of ${fields} may be given.`];
    case 'distinct':
      return [`No two of ${fields} may be the same.`];
    default:
      return [];
  }
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
