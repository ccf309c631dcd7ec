/**
 * `s`: the words a plugin's schema is written in. Each returns a plain field definition with its literal types kept,
 * so that the handler's `config` is typed by the schema (infer.ts).
 */
import type {
  BooleanField,
  EntityCheck,
  FieldDefinition,
  FieldMap,
  FieldMatch,
  ForeignField,
  ListField,
  MapField,
  NumberField,
  RecordField,
  ShorthandField,
  StringField,
} from './fields.ts';

type None = Record<never, never>;
type OptionsOf<Field, Fixed extends string = never> = Omit<Field, 'type' | Fixed>;
/** Refuses members the field does not have, which an inferred type parameter alone would let pass. */
type Exactly<Given, Allowed> = Given & Record<Exclude<keyof Given, keyof Allowed>, never>;

interface RecordExtras {
  readonly checks?: readonly EntityCheck[];
  readonly shorthands?: Readonly<Record<string, ShorthandField>>;
}

type StringOptions = OptionsOf<StringField>;
type NumberOptions = OptionsOf<NumberField>;

/** The options were given as literals, or not at all. */
const orNone = <Options>(options: Options | undefined): Options => options ?? ({} as Options);

/** A plugin's configuration: a required record. `checks` are rules across its fields. */
function config<const Fields extends FieldMap, const Extras extends RecordExtras = None>(
  fields: Fields,
  extras?: Exactly<Extras, RecordExtras>,
): { readonly type: 'record'; readonly required: true; readonly fields: Fields } & Extras {
  return { type: 'record', required: true, fields, ...orNone<Extras>(extras) };
}

/** A record inside a record. With `required: true` it is filled from its fields' defaults. */
function record<const Fields extends FieldMap, const Options extends OptionsOf<RecordField, 'fields'> = None>(
  fields: Fields,
  options?: Exactly<Options, OptionsOf<RecordField, 'fields'>>,
): { readonly type: 'record'; readonly fields: Fields } & Options {
  return { type: 'record', fields, ...orNone<Options>(options) };
}

/** A text. Options: those of every field, lengths, patterns and formats. */
function string<const Options extends StringOptions = None>(
  options?: Exactly<Options, StringOptions>,
): { readonly type: 'string' } & Options {
  return { type: 'string', ...orNone<Options>(options) };
}

/** A number, fractions included; `between` and `gt` bound it. */
function number<const Options extends NumberOptions = None>(
  options?: Exactly<Options, NumberOptions>,
): { readonly type: 'number' } & Options {
  return { type: 'number', ...orNone<Options>(options) };
}

/** A whole number; `between` and `gt` bound it. */
function integer<const Options extends NumberOptions = None>(
  options?: Exactly<Options, NumberOptions>,
): { readonly type: 'integer' } & Options {
  return { type: 'integer', ...orNone<Options>(options) };
}

/** True or false. */
function boolean<const Options extends OptionsOf<BooleanField> = None>(
  options?: Exactly<Options, OptionsOf<BooleanField>>,
): { readonly type: 'boolean' } & Options {
  return { type: 'boolean', ...orNone<Options>(options) };
}

type ListOptions = OptionsOf<ListField, 'elements'>;

/** A list of values of one kind. */
function array<const Elements extends FieldDefinition, const Options extends ListOptions = None>(
  elements: Elements,
  options?: Exactly<Options, ListOptions>,
): { readonly type: 'array'; readonly elements: Elements } & Options {
  return { type: 'array', elements, ...orNone<Options>(options) };
}

/** Like an array; duplicates are dropped. */
function set<const Elements extends FieldDefinition, const Options extends ListOptions = None>(
  elements: Elements,
  options?: Exactly<Options, ListOptions>,
): { readonly type: 'set'; readonly elements: Elements } & Options {
  return { type: 'set', elements, ...orNone<Options>(options) };
}

type MapOptions = OptionsOf<MapField, 'keys' | 'values'>;

/** Values by key. */
function map<
  const Keys extends FieldDefinition,
  const Values extends FieldDefinition,
  const Options extends MapOptions = None,
>(
  keys: Keys,
  values: Values,
  options?: Exactly<Options, MapOptions>,
): { readonly type: 'map'; readonly keys: Keys; readonly values: Values } & Options {
  return { type: 'map', keys, values, ...orNone<Options>(options) };
}

type EnumOptions = OptionsOf<StringField, 'one_of'>;

/** One of a list of words, which is also its TypeScript type. */
function enumeration<const Choices extends readonly string[], const Options extends EnumOptions = None>(
  choices: Choices,
  options?: Exactly<Options, EnumOptions>,
): { readonly type: 'string'; readonly one_of: Choices } & Options {
  return { type: 'string', one_of: choices, ...orNone<Options>(options) };
}

/** Makes a builder of strings that obey a fixed rule besides the options given. */
function stringWith<const Rule extends StringOptions>(rule: Rule) {
  return <const Options extends StringOptions = None>(
    options?: Exactly<Options, StringOptions>,
  ): { readonly type: 'string' } & Rule & Options => ({
    type: 'string',
    ...rule,
    ...orNone<Options>(options),
  });
}

function integerWithin<const Range extends readonly [number, number]>(between: Range) {
  return <const Options extends NumberOptions = None>(
    options?: Exactly<Options, NumberOptions>,
  ): { readonly type: 'integer'; readonly between: Range } & Options => ({
    type: 'integer',
    between,
    ...orNone<Options>(options),
  });
}

type ForeignOptions = OptionsOf<ForeignField, 'reference'>;

/** A reference to a row of another entity: `{ id }`. */
function foreign<const Reference extends string, const Options extends ForeignOptions = None>(
  reference: Reference,
  options?: Exactly<Options, ForeignOptions>,
): { readonly type: 'foreign'; readonly reference: Reference } & Options {
  return { type: 'foreign', reference, ...orNone<Options>(options) };
}

/** A name of a header: letters, digits, `_` and `-`. */
const headerName = stringWith({ format: 'header_name' });
/** A name of a cookie. */
const cookieName = stringWith({ format: 'cookie_name' });
/** A host name or address without a port. */
const host = stringWith({ format: 'host' });
/** An absolute URL with a host. */
const url = stringWith({ format: 'url' });
/** Starts with `/`, has no empty segment and only characters of RFC 3986. */
const path = stringWith({ starts_with: '/', format: 'path' });
/** A UUID, in any case. */
const uuid = stringWith({ uuid: true });
/** An address of IPv4 or IPv6, or a range such as `10.0.0.0/8`. */
const ipOrCidr = stringWith({ format: 'ip_or_cidr' });
/** A name of a TLS server; `*` may stand for one label at either end. */
const sni = stringWith({ format: 'sni' });
/** An address of IPv4 or IPv6. */
const ip = stringWith({ format: 'ip' });
/** A host name or address, with a port behind it or not. */
const hostWithOptionalPort = stringWith({ format: 'host_with_optional_port' });
/** Capital letters, such as `GET`. */
const httpMethod = stringWith({ match: '^[A-Z]+$' });
/** A regular expression of JavaScript. */
const regex = stringWith({ is_regex: true });
/** Letters, digits, `.`, `-`, `_` and `~`, and anything beyond ASCII. */
const utf8Name = stringWith({ format: 'utf8_name' });
/** 0…65535. */
const port = integerWithin([0, 65535]);
/** Milliseconds, 0…2147483646. */
const timeoutMs = integerWithin([0, 2147483646]);

/** Overrides of the defaults of `queue`. */
interface QueueDefaults {
  readonly max_batch_size?: number;
  readonly max_coalescing_delay?: number;
}

/**
 * How entries of `kong.queue` are gathered, with Kong's names, bounds and defaults; times in seconds. Call the member of the
 * configuration `queue`: that is where the gateway looks for it.
 */
function queue(defaults: QueueDefaults = {}) {
  const { max_batch_size = 1, max_coalescing_delay = 1 } = defaults;
  return record(
    {
      max_batch_size: integer({
        default: max_batch_size,
        between: [1, 1_000_000],
        description: 'Entries handed over together at most.',
      }),
      max_coalescing_delay: number({
        default: max_coalescing_delay,
        between: [0, 3600],
        description: 'Seconds that the first entry of a batch waits for others.',
      }),
      max_entries: integer({
        default: 10_000,
        between: [1, 1_000_000],
        description: 'Entries that may wait; when there are more, the oldest are dropped.',
      }),
      max_bytes: integer({ description: 'Bytes of entries that may wait, as JSON.' }),
      max_retry_time: number({
        default: 60,
        description: 'Seconds after which a batch that keeps failing is dropped.',
      }),
      initial_retry_delay: number({
        default: 0.01,
        between: [0.001, 1_000_000],
        description: 'Seconds before the first retry; each later one waits twice as long.',
      }),
      max_retry_delay: number({
        default: 60,
        between: [0.001, 1_000_000],
        description: 'Seconds between two tries at most.',
      }),
      concurrency_limit: integer({
        default: 1,
        one_of: [-1, 1],
        description: 'Batches under way at once: 1, or -1 for as many as there are.',
      }),
    },
    { required: true },
  );
}

/** At least one of these fields has a value. */
const atLeastOneOf = (...fields: readonly string[]): EntityCheck => ({ kind: 'at_least_one_of', fields });
/** Exactly one of these fields has a value. */
const onlyOneOf = (...fields: readonly string[]): EntityCheck => ({ kind: 'only_one_of', fields });
/** No two of these fields have the same value. */
const distinct = (...fields: readonly string[]): EntityCheck => ({ kind: 'distinct', fields });
/** All of these fields have a value, or none has. */
const mutuallyRequired = (...fields: readonly string[]): EntityCheck => ({
  kind: 'mutually_required',
  fields,
});
/** No two of these fields have a value. */
const mutuallyExclusive = (...fields: readonly string[]): EntityCheck => ({
  kind: 'mutually_exclusive',
  fields,
});

/** A field of the one set and a field of the other may not both have a value. */
const mutuallyExclusiveSets = (set1: readonly string[], set2: readonly string[]): EntityCheck => ({
  kind: 'mutually_exclusive_sets',
  set1,
  set2,
});

/** When `ifField` matches, one of `fields` must have a value. `err` replaces the usual text. */
const conditionalAtLeastOneOf = (
  ifField: string,
  ifMatch: FieldMatch,
  fields: readonly string[],
  err?: string,
): EntityCheck => ({
  kind: 'conditional_at_least_one_of',
  if_field: ifField,
  if_match: ifMatch,
  then_at_least_one_of: fields,
  ...(err !== undefined && { then_err: err }),
});

interface ConditionWaivers {
  /** Fields of which one with a value does instead. */
  readonly unlessAnyOf?: readonly string[];
  /** A setting of the node that does instead. */
  readonly unlessSetting?: string;
  /** In place of the usual text. */
  readonly err?: string;
}

/** When `ifField` matches, `thenField` must match too, unless something is there instead. */
const conditional = (
  ifField: string,
  ifMatch: FieldMatch,
  thenField: string,
  thenMatch: FieldMatch,
  { unlessAnyOf, unlessSetting, err }: ConditionWaivers = {},
): EntityCheck => ({
  kind: 'conditional',
  if_field: ifField,
  if_match: ifMatch,
  then_field: thenField,
  then_match: thenMatch,
  ...(err !== undefined && { then_err: err }),
  ...(unlessAnyOf !== undefined && { unless_any_of: unlessAnyOf }),
  ...(unlessSetting !== undefined && { unless_setting: unlessSetting }),
});

/** Numbers that may not fall from one field to the next; `noun` names them in the text. */
const nonDecreasing = (fields: readonly string[], noun: string): EntityCheck => ({
  kind: 'non_decreasing',
  fields,
  noun,
});

/** When `when` holds, `then` must hold; otherwise `err` is the error of the record itself. */
const recordRule = (
  when: { readonly field: string; readonly match: FieldMatch },
  then: { readonly field: string; readonly match: FieldMatch },
  err: string,
): EntityCheck => ({ kind: 'record_rule', when, then, err });

/** A deprecated spelling of the field at `replacedWith`, a path inside the record that declares it. */
const deprecated = (
  field: FieldDefinition,
  replacedWith: readonly string[],
  deprecation: ShorthandField['deprecation'],
): ShorthandField => ({ field, replaced_with: replacedWith, deprecation });

/** The words a schema is written in. */
export const s = {
  config,
  record,
  string,
  number,
  integer,
  boolean,
  array,
  set,
  map,
  enum: enumeration,
  foreign,
  headerName,
  cookieName,
  host,
  url,
  path,
  uuid,
  ip,
  ipOrCidr,
  sni,
  hostWithOptionalPort,
  httpMethod,
  regex,
  utf8Name,
  port,
  timeoutMs,
  queue,
  atLeastOneOf,
  onlyOneOf,
  distinct,
  mutuallyRequired,
  mutuallyExclusive,
  mutuallyExclusiveSets,
  conditional,
  conditionalAtLeastOneOf,
  nonDecreasing,
  recordRule,
  deprecated,
} as const;
