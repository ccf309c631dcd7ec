/** Section 1.4: what becomes of form fields once the schema has seen them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
beforeAll(async () => {
  admin = await startAdmin();
});
beforeEach(() => admin.empty());
afterAll(() => admin.close());

describe('a form', () => {
  it('creates a service with numbers, switches and lists', async () => {
    const form = 'name=web&host=a.test&port=8080&retries=0x10&enabled=false&tags[]=a&tags[]=b&path=';
    const { status, body } = await admin.form('POST', '/services', form);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: 'web',
      port: 8080,
      retries: 16,
      enabled: false,
      tags: ['a', 'b'],
      path: null,
    });
  });

  it('takes the shorthand', async () => {
    const { body } = await admin.form('POST', '/services', 'url=https%3A%2F%2Fa.test%2Fx');
    expect(body).toMatchObject({ protocol: 'https', host: 'a.test', port: 443, path: '/x' });
  });

  it.each([
    ['port=x', { port: 'expected an integer' }],
    ['port=2.5', { port: 'expected an integer' }],
    ['enabled=TRUE', { enabled: 'expected a boolean' }],
    ['nope=', { nope: 'unknown field' }],
    ['.k=x', { '.k': 'unknown field' }],
  ])('leaves %s for validation to refuse', async (field, fields) => {
    const { status, body } = await admin.form('POST', '/services', `host=a.test&${field}`);
    expect([status, body['fields']]).toEqual([400, fields]);
  });

  it('makes a list of a single value, and does not split at commas', async () => {
    const { body } = await admin.form('POST', '/routes', 'hosts=a.test&paths=/a&methods=GET&methods=PUT');
    expect(body).toMatchObject({ hosts: ['a.test'], paths: ['/a'], methods: ['GET', 'PUT'] });
    const refused = await admin.form('POST', '/routes', 'hosts=a.test,b.test');
    expect(refused.body['fields']).toEqual({ hosts: ['invalid hostname: a.test,b.test'] });
  });

  it('fills maps and references', async () => {
    const service = await admin.post('/services', { name: 'web', host: 'a.test' });
    for (const reference of [
      'service.name=web',
      'service[name]=web',
      `service.id=${service.id}`,
      `service[id]=${service.id}`,
    ]) {
      const { body } = await admin.form(
        'POST',
        '/routes',
        `paths[1]=/a&headers.x-one[]=1&headers[x-two]=2&${reference}`,
      );
      expect(body).toMatchObject({
        headers: { 'x-one': ['1'], 'x-two': ['2'] },
        service: { id: service.id },
      });
    }
  });

  it('clears a field by PATCH', async () => {
    await admin.post('/services', { name: 'web', host: 'a.test', path: '/x' });
    expect((await admin.form('PATCH', '/services/web', 'path=')).body['path']).toBeNull();
    expect((await admin.form('PATCH', '/services/web', 'name=')).body['name']).toBeNull();
  });

  it('replaces by PUT', async () => {
    const { body } = await admin.form('PUT', '/services/web', 'host=a.test&port=81');
    expect(body).toMatchObject({ name: 'web', port: 81 });
  });

  it('is coerced by the config of the plugin it names', async () => {
    const { status, body } = await admin.form(
      'POST',
      '/plugins',
      'name=tiers&config.minute=5&config.redis.port=6380&config.list=a&config.headers.x=1&instance_name=t',
    );
    expect(status).toBe(201);
    expect(body['config']).toMatchObject({
      minute: 5,
      redis: { port: 6380 },
      list: ['a'],
      headers: { x: '1' },
    });
  });

  it('is coerced by the config of the stored plugin on PATCH', async () => {
    const { id } = await admin.post('/plugins', { name: 'tiers' });
    const { status, body } = await admin.form('PATCH', `/plugins/${id}`, 'config.minute=7&enabled=false');
    expect([status, body['enabled']]).toEqual([200, false]);
    expect(body['config']).toMatchObject({ minute: 7 });
  });

  it('may be multipart', async () => {
    const part = (name: string, value: string) =>
      `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const { status, body } = await admin.call('POST', '/services', {
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: `${part('host', 'a.test')}${part('port', '81')}${part('tags[]', 'a')}--x--\r\n`,
    });
    expect([status, body['port'], body['tags']]).toEqual([201, 81, ['a']]);
  });
});
