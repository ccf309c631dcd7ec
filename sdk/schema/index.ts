/** The door of the schema language: writing schemas, and everything that follows from one. */
export { applyDefaults } from './apply-defaults.ts';
export { s } from './builders.ts';
export { isUuid } from './check-attributes.ts';
export { concernsWholeRecord, type Operation } from './check-entity.ts';
export { coerceForm } from './coerce-form.ts';
export {
  describe,
  describeChecks,
  describeField,
  describeFields,
  type RecordDescription,
} from './describe.ts';
export { splitEntry } from './entry-format.ts';
export { ENTITY_MEMBER, type ErrorNode, type ErrorTree, isErrorTree } from './error-tree.ts';
export type {
  BooleanField,
  Deprecation,
  EntityCheck,
  FieldDefinition,
  FieldMap,
  FieldMatch,
  ForeignField,
  ListField,
  MapField,
  NumberField,
  PatternRule,
  RecordField,
  ShorthandField,
  StringField,
  StringFormat,
} from './fields.ts';
export { formatViolations } from './format-violations.ts';
export { FORMATS } from './formats.ts';
export type { InferConfig, InferField } from './infer.ts';
export { luaFormat } from './lua-format.ts';
export { compilePatternsWith } from './pattern.ts';
export { isPlainRecord, type PlainRecord } from './plain-record.ts';
export { type Expansion, expandShorthands, showShorthands } from './shorthands.ts';
export { compileTemplate, type Template, type TemplateSource, type TemplateValues } from './template.ts';
export { type ValidateOptions, validate, validateField } from './validate.ts';
