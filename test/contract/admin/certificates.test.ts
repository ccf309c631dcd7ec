/** Certificates, server names and authorities: contract/admin-api.md section 3.8. */
import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type IssuedCertificate, issueCertificate } from '../../../core/crypto/issue-certificate.ts';
import { type AdminUnderTest, startAdmin } from './support/admin-under-test.ts';

let admin: AdminUnderTest;
let ec: IssuedCertificate;
let rsa: IssuedCertificate;
let authority: IssuedCertificate;
beforeAll(async () => {
  const names = ['a.test'];
  ec = await issueCertificate({ commonName: 'a.test', names, validDays: 1 });
  rsa = await issueCertificate({ commonName: 'a.test', names, validDays: 1, keyType: 'rsa' });
  authority = await issueCertificate({ commonName: 'ca', names: ['ca'], validDays: 1, isAuthority: true });
  admin = await startAdmin();
});
afterEach(() => admin.empty());
afterAll(() => admin.close());

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

describe('certificates', () => {
  it('are kept with a key, an alternative pair and server names, which are shown sorted', async () => {
    const made = await admin.post('/certificates', {
      ...ec,
      cert_alt: rsa.cert,
      key_alt: rsa.key,
      snis: ['b.test', '*.a.test'],
      tags: ['x'],
    });
    expect(made).toMatchObject({
      status: 201,
      body: { ...ec, cert_alt: rsa.cert, snis: ['*.a.test', 'b.test'] },
    });
    expect((await admin.get(`/certificates/${made.id}`)).body).toEqual(made.body);
    expect((await admin.get('/certificates')).data).toEqual([made.body]);
    expect((await admin.get('/snis')).data.map(({ name }) => name).sort()).toEqual(['*.a.test', 'b.test']);
    expect((await admin.post('/certificates', rsa)).body).toMatchObject({ snis: [], cert_alt: null });
  });

  it('take forms, with one server name or several', async () => {
    const pair = `cert=${encodeURIComponent(ec.cert)}&key=${encodeURIComponent(ec.key)}`;
    expect((await admin.form('POST', '/certificates', `${pair}&snis=a.test`)).body['snis']).toEqual([
      'a.test',
    ]);
    const several = await admin.form('POST', '/certificates', `${pair}&snis[]=b.test&snis[]=c.test`);
    expect(several.body['snis']).toEqual(['b.test', 'c.test']);
  });

  it('are refused where they cannot be read or do not belong together', async () => {
    const refused = await admin.post('/certificates', { cert: 'x', key: 'y' });
    expect(refused).toMatchObject({ status: 400, body: { code: 2 } });
    expect(refused.body['fields']).toEqual({
      cert: expect.stringMatching(/^invalid certificate: /),
      key: expect.stringMatching(/^invalid key: /),
    });
    expect(refused.text).not.toContain('"y"');
    const fieldsOf = async (body: object) => (await admin.post('/certificates', body)).body['fields'];
    expect(await fieldsOf({})).toEqual({ cert: 'required field missing', key: 'required field missing' });
    expect(await fieldsOf({ cert: ec.cert, key: rsa.key })).toEqual({
      '@entity': ['certificate does not match key'],
    });
    expect(await fieldsOf({ ...ec, cert_alt: rsa.cert })).toEqual({
      '@entity': ["all or none of these fields must be set: 'cert_alt', 'key_alt'"],
    });
    expect(await fieldsOf({ ...ec, cert_alt: rsa.cert, key_alt: authority.key })).toEqual({
      '@entity': ['alternative certificate does not match key'],
    });
    expect(await fieldsOf({ ...ec, cert_alt: authority.cert, key_alt: authority.key })).toEqual({
      '@entity': [
        'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type',
      ],
    });
  });

  it('may refer to secrets kept elsewhere', async () => {
    const references = { cert: '{vault://env/my-cert}', key: '{vault://env/my-key}' };
    expect(await admin.post('/certificates', references)).toMatchObject({ status: 201, body: references });
  });

  it('have each server name once, and none that another one has; then nothing is stored', async () => {
    const { id } = await admin.post('/certificates', { ...ec, snis: ['a.test'] });
    expect((await admin.post('/certificates', { ...rsa, snis: ['x.test', 'x.test'] })).body).toMatchObject({
      code: 2,
      message: 'schema violation (snis: x.test is duplicated)',
    });
    expect((await admin.post('/certificates', { ...rsa, snis: ['b.test', 'a.test'] })).body).toMatchObject({
      code: 2,
      message: `schema violation (snis: a.test already associated with existing certificate '${id}')`,
    });
    expect((await admin.get('/certificates')).data).toHaveLength(1);
    expect((await admin.get('/snis')).data).toHaveLength(1);
  });

  it('keep, replace or lose their server names by PATCH', async () => {
    const { id } = await admin.post('/certificates', { ...ec, snis: ['a.test', 'b.test'] });
    expect((await admin.patch(`/certificates/${id}`, { tags: ['x'] })).body['snis']).toEqual([
      'a.test',
      'b.test',
    ]);
    const replaced = await admin.patch(`/certificates/${id}`, { snis: ['c.test', 'b.test'] });
    expect(replaced.body['snis']).toEqual(['b.test', 'c.test']);
    expect((await admin.patch(`/certificates/${id}`, { snis: null })).body['snis']).toEqual([]);
    expect((await admin.get('/snis')).data).toEqual([]);
    expect(await admin.patch(`/certificates/${UNKNOWN}`, {})).toMatchObject({ status: 404 });
  });

  it('lose their server names by a PUT that does not name them', async () => {
    const { id } = await admin.post('/certificates', { ...ec, snis: ['a.test'] });
    expect(await admin.put(`/certificates/${id}`, rsa)).toMatchObject({
      status: 200,
      body: { ...rsa, snis: [] },
    });
  });

  it('can be named by any of their server names', async () => {
    const { id } = await admin.post('/certificates', { ...ec, snis: ['a.test', '*.b.test'] });
    expect((await admin.get('/certificates/a.test')).id).toBe(id);
    expect((await admin.get('/certificates/*.b.test')).id).toBe(id);
    expect((await admin.patch('/certificates/a.test', { tags: ['x'] })).id).toBe(id);
    expect((await admin.get('/certificates/a.test/snis')).data).toHaveLength(2);
    expect((await admin.get(`/certificates/${id}/snis/a.test`)).body).toMatchObject({ name: 'a.test' });
    expect(await admin.delete('/certificates/a.test')).toMatchObject({ status: 204 });
    expect((await admin.get('/snis')).data).toEqual([]);
    for (const path of [
      '/certificates/a.test',
      '/certificates/a.test/snis',
      '/certificates/a.test/services',
    ]) {
      expect(await admin.get(path)).toMatchObject({ status: 404, body: { message: 'SNI not found' } });
    }
    expect(await admin.delete('/certificates/a.test')).toMatchObject({ status: 404 });
    expect(await admin.patch('/certificates/a.test', {})).toMatchObject({ status: 404 });
    expect(await admin.delete(`/certificates/${UNKNOWN}`)).toMatchObject({ status: 204 });
    expect(await admin.get(`/certificates/${UNKNOWN}`)).toMatchObject({ status: 404 });
  });

  it('are created by a PUT to a server name that nobody has', async () => {
    const made = await admin.put('/certificates/n.test', { ...ec, snis: ['m.test'] });
    expect(made).toMatchObject({ status: 200, body: { snis: ['m.test', 'n.test'] } });
    expect((await admin.put('/certificates/n.test', rsa)).body).toMatchObject({
      id: made.id,
      snis: ['n.test'],
    });
  });

  it('stay as long as a service or an upstream presents them', async () => {
    const { id } = await admin.post('/certificates', { ...ec, snis: ['a.test'] });
    const service = { host: 'h.test', protocol: 'https', client_certificate: { id } };
    const { id: serviceId } = await admin.post('/services', service);
    expect((await admin.delete(`/certificates/${id}`)).body).toMatchObject({
      code: 4,
      message: "an existing 'services' entity references this 'certificates' entity",
    });
    expect((await admin.get(`/certificates/${id}/services`)).data).toHaveLength(1);
    expect((await admin.get(`/services/${serviceId}/client_certificate`)).body).toMatchObject({
      id,
      snis: ['a.test'],
    });
    const unknown = await admin.post('/services', { ...service, client_certificate: { id: UNKNOWN } });
    expect(unknown.body).toMatchObject({ code: 4 });
  });
});

describe('server names', () => {
  it('need a name and a certificate', async () => {
    expect((await admin.post('/snis', {})).body['message']).toBe(
      '2 schema violations (certificate: required field missing; name: required field missing)',
    );
    const { id } = await admin.post('/certificates', ec);
    const made = await admin.post('/snis', { name: 'a.test', certificate: { id } });
    expect(made).toMatchObject({ status: 201, body: { name: 'a.test', certificate: { id } } });
    expect((await admin.get('/snis/a.test')).id).toBe(made.id);
    expect((await admin.post('/snis', { name: 'a.test', certificate: { id } })).body).toMatchObject({
      code: 5,
    });
    expect((await admin.post(`/certificates/${id}/snis`, { name: '*' })).status).toBe(201);
    expect((await admin.get('/snis/a.test/certificate')).status).toBe(404);
  });

  it.each([
    ['a.*.test', 'wildcard must be leftmost or rightmost character'],
    ['*.a.*', 'only one wildcard must be specified'],
    ['127.0.0.1', 'must not be an IP'],
    ['a.test:443', 'must not have a port'],
  ])('may not be %s', async (name, text) => {
    const { id } = await admin.post('/certificates', ec);
    const refused = await admin.post('/snis', { name, certificate: { id } });
    expect(refused).toMatchObject({ status: 400, body: { fields: { name: text } } });
  });
});

describe('certificates of authorities', () => {
  it('are known by their digest', async () => {
    const made = await admin.post('/ca_certificates', { cert: authority.cert });
    const digest = createHash('sha256').update(new X509Certificate(authority.cert).raw).digest('hex');
    expect(made).toMatchObject({ status: 201, body: { cert: authority.cert, cert_digest: digest } });
    const again = await admin.post('/ca_certificates', { cert: authority.cert });
    expect(again).toMatchObject({ status: 409, body: { code: 5, fields: { cert_digest: digest } } });
    expect(await admin.get(`/ca_certificates/${made.id}`)).toMatchObject({ status: 200 });
  });

  it('are one, in force, and of an authority', async () => {
    const refusalOf = async (cert: string) => (await admin.post('/ca_certificates', { cert })).body['fields'];
    expect(await refusalOf('x')).toEqual({ cert: expect.stringMatching(/^invalid certificate: /) });
    expect(await refusalOf(authority.cert + authority.cert)).toEqual({
      '@entity': ['please submit only one certificate at a time'],
    });
    const expired = await issueCertificate({
      commonName: 'ca',
      names: ['ca'],
      validDays: 0,
      isAuthority: true,
    });
    expect(await refusalOf(expired.cert)).toEqual({
      '@entity': ['certificate expired, "Not After" time is in the past'],
    });
    expect(await refusalOf(ec.cert)).toEqual({
      '@entity': ['certificate does not appear to be a CA because it is missing the "CA" basic constraint'],
    });
  });

  it('stay as long as a service trusts them', async () => {
    const { id } = await admin.post('/ca_certificates', { cert: authority.cert });
    const service = { host: 'h.test', protocol: 'https', ca_certificates: [id] };
    const { id: serviceId } = await admin.post('/services', service);
    expect(await admin.delete(`/ca_certificates/${id}`)).toMatchObject({
      status: 400,
      body: {
        code: 19,
        name: 'referenced by others',
        message: `ca certificate ${id} is still referenced by services (id = ${serviceId})`,
      },
    });
    await admin.delete(`/services/${serviceId}`);
    expect(await admin.delete(`/ca_certificates/${id}`)).toMatchObject({ status: 204 });
  });
});
