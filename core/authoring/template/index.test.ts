/** Each test runs the plugin in an isolate, as a gateway does, with a host that lives in memory. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadPlugin, type PluginKit } from '@tollgate/sdk/testing';

const config = { text: 'hello' };
let kit: PluginKit;

before(async () => {
  kit = await loadPlugin(new URL('./index.ts', import.meta.url));
});

after(() => kit?.close());

test('tells the service', async () => {
  const { serviceRequest } = await kit.access({}, config);
  assert.equal(serviceRequest.headers.get('x-greeting'), 'hello');
});

test('tells the client', async () => {
  const { response } = await kit.request({}, config, { status: 200, body: 'from the service' });
  assert.equal(response.headers.get('x-greeting'), 'hello');
  assert.equal(response.body, 'from the service');
});

test('refuses clients that speak for the gateway', async () => {
  const { exit } = await kit.access({ headers: { 'X-Greeting': 'mine' } }, config);
  assert.equal(exit?.status, 400);
});

test('does not run without a text', async () => {
  await assert.rejects(kit.access({}, {}), {
    name: 'ConfigurationError',
    message: 'schema violation (config.text: required field missing)',
  });
});
