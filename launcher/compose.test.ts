import { existsSync, readFileSync } from 'node:fs';
import { billingConfig } from '@skyrun/billing';
import { eventsConfig } from '@skyrun/events';
import { gatewayConfig } from '@skyrun/gateway';
import { GATEWAY_ENVIRONMENT, GATEWAY_SWITCHES } from '@skyrun/gateway/switches';
import { identityConfig } from '@skyrun/identity';
import { commonConfig } from '@skyrun/kit';
import { tracingConfig } from '@skyrun/observability';
import { orchestratorConfig } from '@skyrun/orchestrator';
import { platformConfig } from '@skyrun/process';
import { registryConfig } from '@skyrun/registry';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = new URL('../', import.meta.url);

const composeFile = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      depends_on: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

const compose = composeFile.parse(parse(readFileSync(new URL('docker-compose.yml', ROOT), 'utf8'), { merge: true }));

const PARTS = {
  identity: identityConfig,
  registry: registryConfig,
  orchestrator: orchestratorConfig,
  events: eventsConfig,
  billing: billingConfig,
  gateway: gatewayConfig,
} as const;

test.each(Object.entries(PARTS))('%s runs a file that is there, with every variable that it must have', (name, own) => {
  const service = compose.services[name];
  const files = (service?.command ?? []).filter((word) => word.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(existsSync(new URL(file, ROOT)), file).toBe(true);

  const given = Object.keys(service?.environment ?? {});
  const needed = [commonConfig, own, ...(name === 'gateway' ? [] : [platformConfig])].flatMap(({ variables }) =>
    Object.entries(variables).filter(
      ([, { default: fallback, schema }]) => fallback === undefined && !schema.safeParse(undefined).success,
    ),
  );
  for (const [variable] of needed) expect(given, `${name} needs ${variable}`).toContain(variable);
});

test('every SKYRUN_ and OTEL_ variable is one that a package declares', () => {
  const declared = new Set(
    [commonConfig, platformConfig, tracingConfig, ...Object.values(PARTS)].flatMap(({ variables }) =>
      Object.keys(variables),
    ),
  );
  const given = Object.values(compose.services).flatMap(({ environment }) => Object.keys(environment ?? {}));
  for (const variable of given.filter((each) => /^(SKYRUN|OTEL)_/.test(each)))
    expect([...declared]).toContain(variable);
});

test('what a service depends on and mounts is there', () => {
  for (const [name, { depends_on: dependencies = {}, volumes = [] }] of Object.entries(compose.services)) {
    for (const dependency of Object.keys(dependencies))
      expect(Object.keys(compose.services), name).toContain(dependency);
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./')) expect(existsSync(new URL(source, ROOT)), source).toBe(true);
      else if (!source.startsWith('/')) expect(Object.keys(compose.volumes), name).toContain(source);
    }
  }
});

test('gateways run with the switches that were measured', () => {
  expect(compose.services['gateway']?.command).toEqual(['node', ...GATEWAY_SWITCHES, 'gateway/main.ts']);
  expect(compose.services['gateway']?.environment).toMatchObject(GATEWAY_ENVIRONMENT);
});
