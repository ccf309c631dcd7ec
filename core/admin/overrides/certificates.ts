/**
 * Where certificates differ from other entities: their server names are shown and written with them, and are keys of
 * theirs; certificates of authorities stay as long as somebody trusts them (contract/admin-api.md section 3.8).
 */
import { randomUUID } from 'node:crypto';
import { type FieldDefinition, isUuid, validateField } from '../../../sdk/schema/index.ts';
import { schemaViolation } from '../../entities/complete-entity.ts';
import type { EntityDefinition, EntityRow } from '../../entities/define-entity.ts';
import { EntityError } from '../../store/entity-error.ts';
import type { EntityStore } from '../../store/entity-store.ts';
import { listChildren } from '../../store/list-children.ts';
import {
  type AdminAnswer,
  type AdminHandler,
  type AdminRequest,
  answerJson,
  type RequestInput,
} from '../admin-exchange.ts';
import { AdminRefusal } from '../admin-refusal.ts';
import type { EntityWrites } from '../entity-writes.ts';
import type { EndpointOverride } from '../layer-endpoints.ts';

const TEMPLATE = '/certificates';
const NAMES: FieldDefinition = { type: 'set', elements: { type: 'string', format: 'sni' } };

export interface CertificateEntities {
  readonly certificates: EntityDefinition;
  readonly snis: EntityDefinition;
}

interface Dependencies extends CertificateEntities {
  readonly store: EntityStore;
  readonly writes: EntityWrites;
}

/** `templates`: every one that was generated. */
export function overrideCertificates(
  dependencies: Dependencies,
  templates: readonly string[],
): EndpointOverride[] {
  const entity = `${TEMPLATE}/{certificates}`;
  const nested = templates.filter((template) => template.startsWith(`${entity}/`));
  const owned = templates.filter((template) => template.endsWith('/client_certificate'));
  return [
    { template: TEMPLATE, method: 'GET', wrap: (generated) => withNames(dependencies, generated) },
    { template: TEMPLATE, method: 'POST', wrap: () => (request) => create(dependencies, request) },
    { template: entity, method: 'GET', wrap: (get) => withId(dependencies, withNames(dependencies, get)) },
    { template: entity, method: 'PUT', wrap: () => (request) => replace(dependencies, request) },
    {
      template: entity,
      method: 'PATCH',
      wrap: () => withId(dependencies, (request) => change(dependencies, request)),
    },
    { template: entity, method: 'DELETE', wrap: (remove) => withId(dependencies, remove) },
    ...nested.flatMap((template) =>
      (template.endsWith('}')
        ? (['GET', 'PUT', 'PATCH', 'DELETE'] as const)
        : (['GET', 'POST'] as const)
      ).map((method) => ({
        template,
        method,
        wrap: (handler: AdminHandler) => withId(dependencies, handler),
      })),
    ),
    ...owned.flatMap((template) =>
      (['GET', 'PUT', 'PATCH'] as const).map((method) => ({
        template,
        method,
        wrap: (handler: AdminHandler) => withNames(dependencies, handler),
      })),
    ),
  ];
}

/** Refuses to delete a certificate of an authority that services or plugins name. */
export function overrideCaCertificates(
  { services, plugins }: { readonly services: EntityDefinition; readonly plugins: EntityDefinition },
  store: EntityStore,
): EndpointOverride[] {
  return [
    {
      template: '/ca_certificates/{ca_certificates}',
      method: 'DELETE',
      wrap: (remove) => async (request) => {
        const id = (request.captures[0] ?? '').toLowerCase();
        for (const entity of [services, plugins]) {
          const user = (await store.all(entity)).find((row) => namesAuthority(row, id));
          if (user !== undefined) throw stillReferenced(id, entity.name, user.id);
        }
        return remove(request);
      },
    },
  ];
}

function namesAuthority(row: EntityRow, id: string): boolean {
  const config = row['config'] as Readonly<Record<string, unknown>> | undefined;
  const list = row['ca_certificates'] ?? config?.['ca_certificates'];
  return Array.isArray(list) && list.includes(id);
}

function stillReferenced(id: string, entity: string, userId: string): EntityError {
  return new EntityError(19, `ca certificate ${id} is still referenced by ${entity} (id = ${userId})`);
}

async function create(dependencies: Dependencies, { input }: AdminRequest): Promise<AdminAnswer> {
  const { certificates, store, writes } = dependencies;
  const { names = [], rest } = takeNames(input);
  await checkNames(dependencies, names, undefined);
  const row = await writes.insert(certificates, rest);
  try {
    await writeNames(dependencies, row.id, names);
  } catch (error) {
    // Somebody else has taken a name since it was looked at: nothing of this is to stay.
    await store.delete(certificates, row.id);
    throw error;
  }
  return answerJson(201, await showNames(dependencies, row));
}

/** By a name nobody has, a certificate is created that has it. */
async function replace(dependencies: Dependencies, { captures, input }: AdminRequest): Promise<AdminAnswer> {
  const { certificates, writes } = dependencies;
  const key = captures[0] ?? '';
  const { names: given, rest } = takeNames(input);
  const id = isUuid(key) ? key.toLowerCase() : ((await findIdByName(dependencies, key)) ?? randomUUID());
  const names = isUuid(key) ? (given ?? []) : [...new Set([...(given ?? []), key])];
  await checkNames(dependencies, names, id);
  const row = await writes.replace(certificates, { kind: 'id', id }, rest);
  await writeNames(dependencies, id, names);
  return answerJson(200, await showNames(dependencies, row));
}

async function change(dependencies: Dependencies, { captures, input }: AdminRequest): Promise<AdminAnswer> {
  const { certificates, writes } = dependencies;
  const id = (captures[0] ?? '').toLowerCase();
  const { names, rest } = takeNames(input);
  if (names !== undefined) await checkNames(dependencies, names, id);
  const row = await writes.patch(certificates, { kind: 'id', id }, rest);
  if (names !== undefined) await writeNames(dependencies, id, names);
  return answerJson(200, await showNames(dependencies, row));
}

/** `names` is undefined when the request does not speak of them. */
function takeNames({ members, isForm }: RequestInput): {
  names: readonly string[] | undefined;
  rest: RequestInput;
} {
  const { snis, ...rest } = members;
  const input = { members: rest, isForm };
  if (!Object.hasOwn(members, 'snis')) return { names: undefined, rest: input };
  if (snis === null || snis === '') return { names: [], rest: input };
  const names = isForm && typeof snis === 'string' ? [snis] : snis;
  const problem = validateField(NAMES, names);
  if (problem !== undefined) throw schemaViolation({ snis: problem });
  return { names: names as readonly string[], rest: input };
}

async function checkNames(
  { snis, store }: Dependencies,
  names: readonly string[],
  ownerId: string | undefined,
): Promise<void> {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw schemaViolation({ snis: `${twice} is duplicated` });
  for (const name of names) {
    const holder = certificateIdOf(await store.selectByUnique(snis, 'name', name));
    if (holder !== undefined && holder !== ownerId) {
      throw schemaViolation({ snis: `${name} already associated with existing certificate '${holder}'` });
    }
  }
}

async function writeNames(
  { snis, store, writes }: Dependencies,
  id: string,
  names: readonly string[],
): Promise<void> {
  const held = await listChildren(store, snis, 'certificate', id);
  for (const { id: sniId, name } of held as readonly (EntityRow & { readonly name: string })[]) {
    if (!names.includes(name)) await writes.remove(snis, { kind: 'id', id: sniId });
  }
  for (const name of names.filter((each) => !held.some((sni) => sni['name'] === each))) {
    await writes.insert(snis, { members: { name, certificate: { id } }, isForm: false });
  }
}

/** Turns a server name in the path into the id of its certificate. */
function withId(dependencies: Dependencies, handler: AdminHandler): AdminHandler {
  return async (request) => {
    const [key = '', ...others] = request.captures;
    if (isUuid(key)) return handler(request);
    const id = await findIdByName(dependencies, key);
    if (id === undefined) throw new AdminRefusal(404, 'SNI not found');
    return handler({ ...request, captures: [id, ...others] });
  };
}

async function findIdByName({ snis, store }: Dependencies, name: string): Promise<string | undefined> {
  return certificateIdOf(await store.selectByUnique(snis, 'name', name));
}

function certificateIdOf(sni: EntityRow | undefined): string | undefined {
  return (sni?.['certificate'] as { readonly id: string } | undefined)?.id;
}

/** Adds the names to whatever certificates an answer shows. */
function withNames(dependencies: Dependencies, handler: AdminHandler): AdminHandler {
  return async (request) => {
    const answer = await handler(request);
    if (answer.status > 299 || answer.content === undefined) return answer;
    const body = JSON.parse(answer.content.text) as EntityRow & { readonly data?: readonly EntityRow[] };
    if (body.data === undefined) return answerJson(answer.status, await showNames(dependencies, body));
    const data = await Promise.all(body.data.map((row) => showNames(dependencies, row)));
    return answerJson(answer.status, { ...body, data });
  };
}

async function showNames({ snis, store }: Dependencies, row: EntityRow): Promise<EntityRow> {
  const held = await listChildren(store, snis, 'certificate', row.id);
  return { ...row, snis: held.map(({ name }) => String(name)).sort() };
}
