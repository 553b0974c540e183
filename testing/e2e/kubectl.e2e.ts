import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Outcome, run, type Stack, startStack } from './stack.ts';

/** A transcript of an unchanged kubectl against the real stack. The tests follow one another. */
let stack: Stack;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  stack = await startStack();
  const login = await stack.skyrun(
    ['login', '--url', stack.url, '--email', stack.email, '--password-stdin'],
    stack.password,
  );
  expect(login.code, login.stderr).toBe(0);
  const file = join(stack.dataDir, '..', 'kubeconfig');
  const written = await stack.skyrun(['kubeconfig', '--merge', '--file', file, '--project', 'demo']);
  expect(written.code, written.stderr).toBe(0);
  environment = { ...process.env, KUBECONFIG: file, HOME: join(stack.dataDir, '..') };
});
afterAll(async () => {
  await stack?.end();
});

const kubectl = (...args: readonly string[]): Promise<Outcome> => run('kubectl', args, '', environment);
async function ok(...args: readonly string[]): Promise<string> {
  const outcome = await kubectl(...args);
  expect(outcome.code, `kubectl ${args.join(' ')}\n${outcome.stdout}\n${outcome.stderr}`).toBe(0);
  return outcome.stdout;
}

/** As Cloud Run's console exports it, with an image of the project. */
const CLOUD_RUN = (target: string) => `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
  labels:
    cloud.googleapis.com/location: us-central1
  annotations:
    run.googleapis.com/ingress: all
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/maxScale: '5'
        run.googleapis.com/client-name: gcloud
        run.googleapis.com/startup-cpu-boost: 'true'
    spec:
      containerConcurrency: 80
      timeoutSeconds: 300
      serviceAccountName: 123-compute@developer.gserviceaccount.com
      containers:
      - image: sample
        ports:
        - name: http1
          containerPort: 8080
        env:
        - name: TARGET
          value: ${target}
        resources:
          limits:
            cpu: 1000m
            memory: 512Mi
        startupProbe:
          timeoutSeconds: 240
          periodSeconds: 240
          failureThreshold: 1
          tcpSocket:
            port: 8080
  traffic:
  - percent: 100
    latestRevision: true
`;
function manifest(name: string, text: string): string {
  const file = join(stack.dataDir, '..', name);
  writeFileSync(file, text);
  return file;
}

test('says who one is, what there is and what one may do', async () => {
  expect(await ok('version')).toContain('Server Version');
  expect(await ok('api-resources')).toMatch(/services\s+kservice,ksvc\s+serving.knative.dev\/v1\s+true\s+Service/);
  expect(await ok('get', 'namespaces')).toMatch(/demo\s+Active/);
  expect(await ok('auth', 'whoami')).toContain(stack.email);
  expect(await ok('auth', 'can-i', 'create', 'ksvc')).toContain('yes');
  expect((await kubectl('auth', 'can-i', 'delete', 'revisions')).stdout).toContain('no');
  expect(await ok('explain', 'ksvc.spec.template.spec')).toContain('containerConcurrency');
});

test('applies a Cloud Run service, waits for it, shows it', async () => {
  const file = manifest('hello.yaml', CLOUD_RUN('world'));
  expect(await ok('apply', '--dry-run=server', '-f', file)).toContain('created (server dry run)');
  expect((await kubectl('get', 'ksvc', 'hello')).stderr).toContain('NotFound');
  expect(await ok('apply', '-f', file)).toContain('hello created');
  await ok('wait', 'ksvc/hello', '--for=condition=Ready', '--timeout=120s');
  expect(await ok('get', 'ksvc', '-o', 'wide')).toMatch(
    /hello\s+http:\/\/hello\.demo\.\S+\s+hello-00001\s+hello-00001\s+True/,
  );
  const yaml = await ok('get', 'ksvc', 'hello', '-o', 'yaml');
  for (const part of ['observedGeneration: 1', 'latestReadyRevisionName: hello-00001', 'type: RoutesReady']) {
    expect(yaml).toContain(part);
  }
  expect(await ok('describe', 'ksvc', 'hello')).toMatch(/Latest Ready Revision Name:\s+hello-00001/);
  expect(await ok('get', 'rev,rt,cfg')).toContain('revision.serving.knative.dev/hello-00001');
  expect((await stack.get('hello.demo.localhost')).status).toBe(200);
});

test('applies on the server’s side, with conflicts and by force', async () => {
  const same = await ok('apply', '--server-side', '-f', manifest('same.yaml', CLOUD_RUN('world')));
  expect(same).toContain('serverside-applied');
  const other = manifest('other.yaml', CLOUD_RUN('there'));
  const refused = await kubectl('apply', '--server-side', '--field-manager=other', '-f', other);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('.spec.template.spec.containers');
  await ok('apply', '--server-side', '--field-manager=other', '--force-conflicts', '-f', other);
  expect(await ok('get', 'ksvc', 'hello', '-o', 'yaml', '--show-managed-fields')).toContain('manager: other');
});

test('patches, labels and selects, and refuses with the field', async () => {
  await ok('patch', 'ksvc', 'hello', '--type', 'merge', '-p', '{"spec":{"template":{"spec":{"timeoutSeconds":60}}}}');
  await ok(
    'patch',
    'ksvc',
    'hello',
    '--type',
    'json',
    '-p',
    '[{"op":"replace","path":"/spec/template/spec/timeoutSeconds","value":61}]',
  );
  expect(await ok('get', 'ksvc', 'hello', '-o', 'jsonpath={.spec.template.spec.timeoutSeconds}')).toBe('61');
  await ok('label', 'ksvc', 'hello', 'team=a');
  expect(await ok('get', 'ksvc', '-l', 'team=a', '-o', 'name')).toBe('service.serving.knative.dev/hello\n');
  const unknown = manifest('unknown.yaml', CLOUD_RUN('x').replace('timeoutSeconds: 300', 'timeoutSecs: 300'));
  expect((await kubectl('apply', '-f', unknown)).stderr).toContain('unknown field "spec.template.spec.timeoutSecs"');
  const wrong = manifest('wrong.yaml', CLOUD_RUN('x').replace('percent: 100', 'percent: 40'));
  expect((await kubectl('apply', '-f', wrong)).stderr).toContain('spec.traffic');
});

const MAPPING = (host: string) => `apiVersion: serving.knative.dev/v1beta1
kind: DomainMapping
metadata:
  name: ${host}
spec:
  ref:
    apiVersion: serving.knative.dev/v1
    kind: Service
    name: hello
`;

test('leads a host of one’s own to a service', async () => {
  expect(await ok('api-resources')).toMatch(
    /domainmappings\s+dm\s+serving.knative.dev\/v1beta1\s+true\s+DomainMapping/,
  );
  expect(await ok('explain', 'dm.spec.ref')).toContain('a service of the same namespace');
  const file = manifest('mapping.yaml', MAPPING('www.example.com'));
  expect(await ok('apply', '-f', file)).toContain('www.example.com created');
  expect(await ok('apply', '-f', file)).toMatch(/www\.example\.com (configured|unchanged)/);
  expect(await ok('get', 'dm')).toMatch(/www\.example\.com\s+http\S+\s+(Unknown|False)/);
  expect(await ok('describe', 'dm', 'www.example.com')).toContain('skyrun-verification=');
  const wrong = manifest('wrong-mapping.yaml', MAPPING('no_host'));
  expect((await kubectl('apply', '-f', wrong)).stderr).toContain('metadata.name');
  expect(await ok('delete', 'dm', 'www.example.com')).toContain('deleted');
  expect((await kubectl('get', 'dm', 'www.example.com')).stderr).toContain('NotFound');
});

test('watches a deletion', async () => {
  const child = spawn('kubectl', ['get', 'ksvc', '-w', '--output-watch-events'], { env: environment });
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  try {
    await expect.poll(() => seen).toMatch(/ADDED\s+hello/);
    expect(await ok('delete', 'ksvc', 'hello')).toContain('deleted');
    await expect.poll(() => seen).toMatch(/DELETED\s+hello/);
  } finally {
    child.kill();
  }
  expect((await kubectl('get', 'ksvc', 'hello')).stderr).toContain('NotFound');
});
