/** Upstreams: names behind which requests are spread over targets (contract/admin-api.md section 3.6). */
import type { EntityCheck, FieldDefinition } from '../../sdk/schema/fields.ts';
import { CREATED_AT, ID, TAGS, UPDATED_AT } from './common-fields.ts';
import { defineEntity, type EntityRow } from './define-entity.ts';
import { HEALTHCHECKS } from './upstream-healthchecks.ts';

const ALGORITHMS = ['consistent-hashing', 'least-connections', 'round-robin', 'latency'] as const;
/** They decide by themselves where a request goes, whatever is in it. */
const UNHASHED_ALGORITHMS: readonly unknown[] = ['least-connections', 'latency'];
const HASH_INPUTS = [
  'none',
  'consumer',
  'ip',
  'header',
  'cookie',
  'path',
  'query_arg',
  'uri_capture',
] as const;

const HASH_INPUT = {
  type: 'string',
  one_of: HASH_INPUTS,
  default: 'none',
} as const satisfies FieldDefinition;
const HEADER_NAME = { type: 'string', format: 'header_name' } as const satisfies FieldDefinition;
const NAME = { type: 'string', len_min: 1 } as const satisfies FieldDefinition;

type HashField = 'hash_on' | 'hash_fallback';

const needs = (field: HashField, input: string, companion: string): EntityCheck => ({
  kind: 'conditional',
  if_field: field,
  if_match: { match: `^${input}$` },
  then_field: companion,
  then_match: { required: true },
});

/** What may stand in for a missing `input`. */
const fallsBackTo = (input: string, allowed: readonly string[]): EntityCheck => ({
  kind: 'conditional',
  if_field: 'hash_on',
  if_match: { match: `^${input}$` },
  then_field: 'hash_fallback',
  then_match: { one_of: allowed },
});

const fallsBackToAnother = (input: string): EntityCheck =>
  fallsBackTo(
    input,
    HASH_INPUTS.filter((other) => other !== input),
  );

export const upstreams = defineEntity({
  name: 'upstreams',
  adminName: 'upstreams',
  nestedNames: { client_certificate: 'upstreams' },
  endpointKey: 'name',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    name: { type: 'string', required: true, unique: true, format: 'upstream_name' },
    algorithm: { type: 'string', one_of: ALGORITHMS, default: 'round-robin' },
    hash_on: HASH_INPUT,
    hash_fallback: HASH_INPUT,
    hash_on_header: HEADER_NAME,
    hash_fallback_header: HEADER_NAME,
    hash_on_cookie: { type: 'string', format: 'cookie_name' },
    hash_on_cookie_path: { type: 'string', starts_with: '/', format: 'path', default: '/' },
    hash_on_query_arg: NAME,
    hash_fallback_query_arg: NAME,
    hash_on_uri_capture: NAME,
    hash_fallback_uri_capture: NAME,
    slots: { type: 'integer', between: [10, 65536], default: 10000 },
    healthchecks: HEALTHCHECKS,
    tags: TAGS,
    host_header: { type: 'string', format: 'host_with_optional_port' },
    client_certificate: { type: 'foreign', reference: 'certificates' },
    use_srv_name: { type: 'boolean', default: false },
  },
  checks: [
    needs('hash_on', 'header', 'hash_on_header'),
    needs('hash_fallback', 'header', 'hash_fallback_header'),
    needs('hash_on', 'cookie', 'hash_on_cookie'),
    needs('hash_fallback', 'cookie', 'hash_on_cookie'),
    fallsBackTo('none', ['none']),
    fallsBackTo('cookie', ['none']),
    fallsBackToAnother('consumer'),
    fallsBackToAnother('ip'),
    fallsBackToAnother('path'),
    { kind: 'distinct', fields: ['hash_on_header', 'hash_fallback_header'] },
    needs('hash_on', 'query_arg', 'hash_on_query_arg'),
    needs('hash_fallback', 'query_arg', 'hash_fallback_query_arg'),
    { kind: 'distinct', fields: ['hash_on_query_arg', 'hash_fallback_query_arg'] },
    needs('hash_on', 'uri_capture', 'hash_on_uri_capture'),
    needs('hash_fallback', 'uri_capture', 'hash_fallback_uri_capture'),
    { kind: 'distinct', fields: ['hash_on_uri_capture', 'hash_fallback_uri_capture'] },
  ],
  normalise: alignAlgorithm,
  shorthands: {},
  hasTtl: false,
});

/** `algorithm` and `hash_on` say the same thing twice; what the request named wins over what was stored. */
function alignAlgorithm(row: EntityRow, given: Readonly<Record<string, unknown>>): EntityRow {
  const hashOn = row['hash_on'] ?? 'none';
  const namesHash = Object.hasOwn(given, 'hash_on') && hashOn !== 'none';
  const namesAlgorithm = Object.hasOwn(given, 'algorithm');
  if (UNHASHED_ALGORITHMS.includes(row['algorithm']) && (namesAlgorithm || !namesHash)) {
    return { ...row, hash_on: 'none' };
  }
  if (hashOn !== 'none') return { ...row, algorithm: 'consistent-hashing' };
  return Object.hasOwn(given, 'hash_on') ? { ...row, hash_on: 'none', algorithm: 'round-robin' } : row;
}
