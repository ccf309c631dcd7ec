/** Third parties' plugins with rows of their own: what operators, plugins and rollbacks get to see of them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealArtefact } from '../../core/sandbox/plugin-artefact.ts';
import { packPlugin } from '../support/pack-plugin.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const FIELDS = `
  consumer: s.foreign('consumers', { required: true }),
  token: s.string({ unique: true, auto: true }),
  code: s.string(),
  size: s.integer({ default: 5, between: [1, 100] }),`;

/** Lets through who has a token, and says whose it is and how large the bucket. */
const SERVING = (entity: string) => `
  async access(kong) {
    const token = kong.request.getHeader('x-token');
    const bucket = token && (await kong.entities.find('${entity}', 'token', token));
    if (!bucket) return kong.response.error(401, 'no bucket');
    const all = await kong.entities.list('${entity}', 'consumer', bucket.consumer.id);
    const consumer = await kong.client.loadConsumer(bucket.consumer.id);
    kong.response.setHeader('x-bucket', [consumer.username, bucket.size, all.length, bucket.colour].map((part) => part ?? '-').join(' '));
  },`;

interface Version {
  readonly version?: string;
  readonly fields?: string;
  /** Members of the entity besides its name, key and fields. */
  readonly more?: string;
  /** Members of the plugin besides its entity and its access phase. */
  readonly plugin?: string;
  readonly hasEntity?: boolean;
}

const packBuckets = (name: string, given: Version = {}) => {
  const { version = '1.0.0', fields = FIELDS, more = '', plugin = '', hasEntity = true } = given;
  const entity = entityOf(name);
  const entities = `entities: [{
    name: '${entity}', adminApiName: '${pathOf(name)}', endpointKey: 'token', tags: true, ttl: true,
    fields: {${fields}}, ${more}
  }],`;
  return packPlugin({
    name,
    version,
    definition: `${hasEntity ? entities : ''} ${plugin} ${SERVING(entity)}`,
  });
};

const entityOf = (name: string) => name.replaceAll('-', '_');
const pathOf = (name: string) => `${name}-rows`;

for (const [database, env] of Object.entries({
  Postgres: {},
  'the embedded database': { TOLLGATE_DATABASE: 'embedded' },
})) {
  describe(`entities of a published package on ${database}`, () => specify(env));
}

function specify(env: Readonly<Record<string, string>>) {
  let proxy: ProxyUnderTest;
  beforeAll(async () => {
    proxy = await startProxy(env);
  });
  afterAll(() => proxy?.stop());

  const nameIt = () => `bucket-${randomUUID().slice(0, 8)}`;
  const publish = (artefact: unknown, query = '') =>
    proxy.admin('POST', `/plugin-packages${query}`, artefact);

  /** Version 1 in use on a route of its own, and two buckets of a consumer. */
  async function begin(given: Version = {}) {
    const name = nameIt();
    const published = await publish(await packBuckets(name, given));
    expect(published).toMatchObject({ status: 201 });
    const path = `/${pathOf(name)}`;
    const { host, routeId } = await proxy.expose();
    const { id: pluginId } = await proxy.write('POST', `/routes/${routeId}/plugins`, { name });
    const username = `bob-${name}`;
    const { id: consumerId } = await proxy.write('POST', '/consumers', { username });
    const own = `/consumers/${username}${path}`;
    const one = await proxy.write('POST', own, { token: `one-${name}`, size: 7, tags: ['big'] });
    const two = await proxy.write('POST', own, { token: `two-${name}` });
    const ask = async (token: string) => {
      const answer = await proxy.send(host, '/', { headers: { 'x-token': token } });
      return answer.status === 200 ? answer.header('x-bucket') : answer.status;
    };
    return { name, path, own, username, consumerId, pluginId, one, two, ask };
  }

  it('have the paths that credentials have, and every behaviour of them', async () => {
    const { name, path, own, username, consumerId, one, two } = await begin();
    expect(one).toEqual({
      id: one.id,
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      consumer: { id: consumerId },
      token: `one-${name}`,
      code: null,
      size: 7,
      tags: ['big'],
      ttl: null,
    });
    expect(two.size).toBe(5);
    const auto = await proxy.write('POST', path, { consumer: { username } });
    expect(auto.token).toMatch(/^[A-Za-z0-9]{32}$/);

    expect((await proxy.write('GET', own)).data).toHaveLength(3);
    const page = await proxy.write('GET', `${path}?size=2`);
    expect(page).toMatchObject({ data: [{}, {}], next: expect.stringContaining(`${path}?offset=`) });
    expect((await proxy.write('GET', page.next)).data).toHaveLength(1);
    expect((await proxy.write('GET', `${path}?tags=big`)).data).toEqual([one]);
    expect((await proxy.write('GET', '/tags/big')).data).toContainEqual({
      entity_name: entityOf(name),
      entity_id: one.id,
      tag: 'big',
    });
    for (const key of [one.id, one.token]) {
      expect(await proxy.write('GET', `${path}/${key}`)).toEqual(one);
      expect(await proxy.write('GET', `${own}/${key}/`)).toEqual(one);
    }
    expect((await proxy.write('GET', `${path}/${one.token}/consumer`)).username).toBe(username);

    expect(await proxy.admin('POST', path, { token: 'x' })).toMatchObject({
      status: 400,
      body: { code: 2, message: 'schema violation (consumer: required field missing)' },
    });
    expect(await proxy.admin('POST', own, { token: 5, size: 0, colour: 'red' })).toMatchObject({
      status: 400,
      body: {
        fields: {
          token: 'expected a string',
          size: 'value should be between 1 and 100',
          colour: 'unknown field',
        },
      },
    });
    expect(await proxy.admin('POST', own, { token: one.token })).toMatchObject({
      status: 409,
      body: { code: 5, fields: { token: one.token } },
    });
    const nobody = { consumer: { id: randomUUID() } };
    expect(await proxy.admin('POST', path, nobody)).toMatchObject({ status: 400, body: { code: 4 } });
    expect(await proxy.admin('POST', '/consumers/nobody/' + pathOf(name), {})).toMatchObject({ status: 404 });
    expect(await proxy.admin('GET', `${path}/nope`)).toMatchObject({ status: 404 });

    expect((await proxy.write('PATCH', `${own}/${two.id}`, { size: 9 })).size).toBe(9);
    const replaced = await proxy.write('PUT', `${own}/fresh-${name}`, { size: 3 });
    expect(replaced).toMatchObject({ token: `fresh-${name}`, size: 3 });
    const chosen = randomUUID();
    expect((await proxy.write('PUT', `${own}/${chosen}`, { ttl: 100 })).ttl).toBe(100);
    const form = await fetch(`${proxy.gateway.adminUrl}${own}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'size=42&tags[]=a&tags[]=b',
    });
    expect(await form.json()).toMatchObject({ size: 42, tags: ['a', 'b'] });
    expect((await proxy.admin('DELETE', `${own}/${chosen}`)).status).toBe(204);
    expect((await proxy.admin('DELETE', `${own}/${chosen}`)).status).toBe(404);
    expect((await proxy.admin('DELETE', `${path}/${chosen}`)).status).toBe(204);

    const schema = await proxy.write('GET', `/schemas/${entityOf(name)}`);
    expect(schema.fields.map((field: object) => Object.keys(field)[0])).toEqual([
      'id',
      'created_at',
      'updated_at',
      'consumer',
      'token',
      'code',
      'size',
      'tags',
    ]);
    expect((await proxy.write('GET', '/endpoints')).data).toContain(`/consumers/{consumers}${path}`);
    expect((await proxy.write('GET', `/plugin-packages/${name}`)).active.plugins[0].entities).toEqual([
      { name: entityOf(name), path },
    ]);
  });

  it('are looked up by their plugin, which hears of every change at once', async () => {
    const { name, path, own, username, one, ask } = await begin();
    expect(await ask('guess')).toBe(401);
    expect(await ask(one.token)).toBe(`bob-${name} 7 2 -`);
    await proxy.write('PATCH', `${path}/${one.id}`, { size: 8, token: 'guess' });
    expect(await ask(one.token)).toBe(401);
    expect(await ask('guess')).toBe(`bob-${name} 8 2 -`);
    await proxy.write('POST', own, {});
    expect(await ask('guess')).toBe(`bob-${name} 8 3 -`);
    await proxy.admin('DELETE', `${path}/guess`);
    expect(await ask('guess')).toBe(401);
    expect(await ask(`two-${name}`)).toBe(`bob-${name} 5 2 -`);
    await proxy.admin('DELETE', `/consumers/${username}`);
    expect(await ask(`two-${name}`)).toBe(401);
    expect((await proxy.write('GET', path)).data).toEqual([]);
  });

  it('are nobody else’s: a package that does not list them is told nothing', async () => {
    const { name, one } = await begin();
    const thief = nameIt();
    await publish(
      await packPlugin({
        name: thief,
        definition: `async access(kong) {
          try { await kong.entities.find('${entityOf(name)}', 'token', '${one.token}'); }
          catch (error) { kong.response.setHeader('x-error', error.message); }
        }`,
      }),
    );
    const { host, routeId } = await proxy.expose();
    await proxy.write('POST', `/routes/${routeId}/plugins`, { name: thief });
    const answer = await proxy.send(host);
    expect(answer.header('x-error')).toBe(`the manifest does not list the entity '${entityOf(name)}'`);
  });

  it('gain and lose fields with a version, and have them back after a rollback', async () => {
    const { name, path, one, two, ask } = await begin();
    const fields = FIELDS.replace(/size: .*/, "colour: s.string({ default: 'red' }),");
    expect(await publish(await packBuckets(name, { version: '2.0.0', fields }))).toMatchObject({
      status: 201,
    });
    const seen = await proxy.write('GET', `${path}/${one.id}`);
    expect(seen.colour).toBe('red');
    expect(seen).not.toHaveProperty('size');
    expect(await ask(one.token)).toBe(`bob-${name} - 2 red`);
    await proxy.write('PATCH', `${path}/${one.id}`, { colour: 'blue' });
    const { id } = await proxy.write('POST', path, { consumer: two.consumer });

    expect(await proxy.admin('POST', `/plugin-packages/${name}/rollback`)).toMatchObject({ status: 200 });
    expect((await proxy.write('GET', `${path}/${one.id}`)).size).toBe(7);
    expect((await proxy.write('GET', `${path}/${id}`)).size).toBe(5);
    expect(await ask(one.token)).toBe(`bob-${name} 7 3 -`);
    await proxy.write('POST', `/plugin-packages/${name}/rollback`);
    expect((await proxy.write('GET', `${path}/${one.id}`)).colour).toBe('blue');
  });

  it('are migrated to a version, and back again', async () => {
    const { name, path, one, ask } = await begin();
    const fields = FIELDS.replace(/size: .*/, 'litres: s.number({ required: true }),');
    const more = `migrations: [{
      from: 1,
      up: ({ size, ...row }) => ({ ...row, litres: size / 2 }),
      down: ({ litres, ...row }) => ({ ...row, size: litres * 2 }),
    }],`;
    const next = await packBuckets(name, { version: '2.0.0', fields, more });
    expect(await publish(next, '?percent=10')).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('cannot share the traffic') },
    });
    expect(await publish(next)).toMatchObject({ status: 201 });
    expect(await proxy.write('GET', `${path}/${one.id}`)).toMatchObject({ litres: 3.5, token: one.token });
    const late = await proxy.write('POST', path, { consumer: one.consumer, litres: 10 });
    await proxy.write('PATCH', `${path}/${one.id}`, { litres: 4 });
    expect(await ask(one.token)).toBe(`bob-${name} - 3 -`);

    await proxy.write('POST', `/plugin-packages/${name}/rollback`);
    expect((await proxy.write('GET', `${path}/${one.id}`)).size).toBe(8);
    expect((await proxy.write('GET', `${path}/${late.id}`)).size).toBe(20);
    await proxy.write('POST', `/plugin-packages/${name}/rollback`);
    expect((await proxy.write('GET', `${path}/${late.id}`)).litres).toBe(10);
  });

  it('keep a version out that they do not fit, with the list of them, and the old one serves on', async () => {
    const { name, path, own, one, two, ask } = await begin();
    await proxy.write('PATCH', `${path}/${one.id}`, { code: 'same' });
    await proxy.write('PATCH', `${path}/${two.id}`, { code: 'same' });
    const third = await proxy.write('POST', own, {});
    const refused = async (given: Version) => {
      const answer = await publish(await packBuckets(name, { version: '2.0.0', ...given }));
      expect(answer.status).toBe(409);
      return answer.body.broken.toSorted((a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1));
    };
    const required = FIELDS.replace('code: s.string()', 'code: s.string({ required: true })');
    expect(await refused({ fields: required })).toEqual([
      { id: third.id, name: entityOf(name), fields: { code: 'required field missing' } },
    ]);
    const unique = FIELDS.replace('code: s.string()', 'code: s.string({ unique: true })');
    const [earlier, later] = [one.id, two.id].toSorted();
    expect(await refused({ fields: unique })).toEqual([
      { id: later, name: entityOf(name), fields: { code: `has the same value as row '${earlier}'` } },
    ]);
    const failing = `migrations: [{ from: 1, up(row) { if (row.code) throw new Error('no way'); return row; } }],`;
    expect(await refused({ more: failing })).toMatchObject([
      { fields: { '@entity': ['its migration fails: no way'] } },
      { fields: { '@entity': ['its migration fails: no way'] } },
    ]);
    const looping = `migrations: [{ from: 1, up(row) { for (;;) {} } }],`;
    expect(await publish(await packBuckets(name, { version: '2.0.0', more: looping }))).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('its migrations fail: timeout') },
    });
    const gone = await publish(await packBuckets(name, { version: '2.0.0', hasEntity: false }));
    expect(gone).toMatchObject({
      status: 409,
      body: { message: `the version no longer has the entity '${entityOf(name)}', of which there are rows` },
    });
    expect(await ask(one.token)).toBe(`bob-${name} 7 3 -`);
    expect((await proxy.write('GET', `/plugin-packages/${name}`)).active.version).toBe('1.0.0');

    await proxy.write('PATCH', `${path}/${two.id}`, { code: 'other' });
    expect(await publish(await packBuckets(name, { version: '2.0.0', fields: unique }))).toMatchObject({
      status: 201,
    });
    expect(await proxy.admin('POST', own, { code: 'other' })).toMatchObject({ status: 409 });
  });

  it('stay when their package is to go, until they are purged', async () => {
    const { name, path, pluginId } = await begin();
    expect((await proxy.admin('DELETE', `/plugin-packages/${name}`)).status).toBe(409);
    await proxy.write('DELETE', `/plugins/${pluginId}`);
    expect(await proxy.admin('DELETE', `/plugin-packages/${name}`)).toMatchObject({
      status: 409,
      body: { message: 'entities that would be gone have rows' },
    });
    expect((await proxy.write('GET', path)).data).toHaveLength(2);
    expect((await proxy.admin('DELETE', `/plugin-packages/${name}?purge=true`)).status).toBe(204);
    expect((await proxy.admin('GET', path)).status).toBe(404);
    await publish(await packBuckets(name));
    expect((await proxy.write('GET', path)).data).toEqual([]);
  });

  it('have names of their own', async () => {
    const { name } = await begin();
    const claims = [
      [`name: 'services'`, 'the gateway'],
      [`name: 'mine', adminApiName: 'plugins'`, 'the gateway'],
      [`name: 'mine', adminApiNestedName: 'key-auth'`, 'the gateway'],
      [`name: '${entityOf(name)}'`, 'another package'],
      [`name: 'mine', adminApiName: '${pathOf(name)}'`, 'another package'],
    ];
    for (const [claim, owner] of claims) {
      const artefact = await packPlugin({
        name: nameIt(),
        definition: `entities: [{ ${claim}, fields: {} }], access() {}`,
      });
      expect(await publish(artefact)).toMatchObject({
        status: 409,
        body: { message: expect.stringMatching(new RegExp(`of an entity belongs to ${owner}$`)) },
      });
    }
  });

  it('are what the package says when it is loaded', async () => {
    const name = nameIt();
    const { digest: _digest, format: _format, ...content } = await packBuckets(name);
    const text = JSON.stringify(content.manifest).replace('"unique":true', '"unique":true,"required":true');
    expect(await publish(sealArtefact({ ...content, manifest: JSON.parse(text) }))).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('does not describe itself as in its manifest') },
    });
  });
}
