import { OPERATIONS } from '@skyrun/contracts';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry, uploadAnImage } from '../registry.fixture.ts';

let registry: TestRegistry;
const NEW_KEY = 'another key of thirty-two characters or more';
const FIRST_KEY = 'a key of thirty-two characters or more';
const VALUE = 'correct horse battery staple';

beforeAll(async () => {
  registry = await startTestRegistry({
    database: await testDatabase('registry'),
    dataDirectory: temporaryDirectory('registry'),
  });
  await uploadAnImage(registry, 'demo');
});
afterAll(async () => {
  await registry?.close();
});

const create = (name: string, value = VALUE, project = 'demo') =>
  registry.client.call(OPERATIONS.createSecret, { params: { project }, body: { name, value } });
const add = (secret: string, value: string) =>
  registry.client.call(OPERATIONS.addSecretVersion, { params: { project: 'demo', secret }, body: { value } });
const remove = (secret: string) =>
  registry.client.call(OPERATIONS.deleteSecret, { params: { project: 'demo', secret } });
const resolve = async (name: string, key: string, project = 'demo') =>
  (await registry.client.call(OPERATIONS.resolveSecrets, { body: { project, references: [{ name, key }] } })).values[0];
const deploy = (name: string, secret: string, key = 'latest') =>
  registry.client.call(OPERATIONS.createService, {
    params: { project: 'demo' },
    body: {
      name,
      spec: {
        template: {
          image: 'web:v1',
          env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: secret, key } } }],
        },
      },
    },
  });

it('gives each version its value, and the latest to whoever names it so', async () => {
  expect(await create('versions')).toMatchObject({ latestVersion: 1, usedBy: [] });
  expect(await add('versions', 'second')).toMatchObject({
    latestVersion: 2,
    versions: [{ version: 2 }, { version: 1 }],
  });
  expect([await resolve('versions', '1'), await resolve('versions', '2'), await resolve('versions', 'latest')]).toEqual(
    [VALUE, 'second', 'second'],
  );
  await expect(resolve('versions', '3')).rejects.toMatchObject({ code: 'resource.not_found' });
  await expect(create('versions')).rejects.toMatchObject({ code: 'resource.already_exists' });
  await expect(resolve('versions', 'latest', 'other')).rejects.toMatchObject({ code: 'resource.not_found' });
});

it('refuses a deploy that names a secret or a version that there is not, with the field', async () => {
  await create('fields');
  const at = '/spec/template/env/0/valueFrom/secretKeyRef';
  await expect(deploy('fields', 'nothing')).rejects.toMatchObject({ errors: [{ field: `${at}/name` }] });
  await expect(deploy('fields', 'fields', '2')).rejects.toMatchObject({ errors: [{ field: `${at}/key` }] });
});

it('keeps a secret that a service uses, and says who does', async () => {
  await create('used');
  await deploy('user', 'used');
  await expect(remove('used')).rejects.toMatchObject({
    code: 'resource.in_use',
    detail: expect.stringContaining('user'),
  });
  await registry.client.call(OPERATIONS.deleteService, { params: { project: 'demo', service: 'user' } });
  await remove('used');
  await expect(remove('used')).rejects.toMatchObject({ code: 'resource.not_found' });
});

it('holds no value in the clear: not in its tables, its events or its answers', async () => {
  const answer = await create('hidden');
  await deploy('hider', 'hidden');
  const list = await registry.client.call(OPERATIONS.listSecrets, { params: { project: 'demo' } });
  const desired = await registry.client.call(OPERATIONS.getDesired);
  const { rows: tables } = await registry.db.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = current_schema()',
  );
  const dumps: string[] = [];
  for (const { name } of tables) {
    const { rows } = await registry.db.query<{ text: string }>(`select t::text as text from ${name} as t`);
    dumps.push(...rows.map(({ text }) => text));
  }
  expect(dumps.some((text) => text.includes('hidden'))).toBe(true);
  const everything = JSON.stringify([answer, list, desired, dumps]);
  for (const form of [VALUE, Buffer.from(VALUE).toString('hex'), Buffer.from(VALUE).toString('base64')]) {
    expect(everything).not.toContain(form);
  }
});

it('changes the key: values are sealed anew, and the old key is not needed any more', async () => {
  await create('rotated');
  const keyIds = async () =>
    (await registry.db.query<{ key_id: string }>('select distinct key_id from secret_versions')).rows;
  const [before] = await keyIds();
  await registry.restart({ SKYRUN_SECRETS_KEY: NEW_KEY, SKYRUN_SECRETS_PREVIOUS_KEY: FIRST_KEY });
  const after = await keyIds();
  expect(after).toHaveLength(1);
  expect(after[0]).not.toEqual(before);
  await registry.restart({ SKYRUN_SECRETS_KEY: NEW_KEY });
  expect(await resolve('rotated', 'latest')).toBe(VALUE);
  await expect(registry.restart({ SKYRUN_SECRETS_KEY: FIRST_KEY })).rejects.toMatchObject({
    code: 'platform.unavailable',
    detail: expect.stringContaining('SKYRUN_SECRETS_PREVIOUS_KEY'),
  });
  await registry.restart({ SKYRUN_SECRETS_KEY: NEW_KEY });
}, 60_000);
