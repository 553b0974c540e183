import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, configTypes, defineConfig, loadConfig } from './config.ts';

const definition = defineConfig('demo', {
  PORT: { schema: configTypes.port, default: '80', doc: 'where it listens' },
  SECRET: { schema: z.string().min(8, 'at least 8 characters'), doc: 'a secret', secret: true },
});

test('defaults fill what is absent or empty, and values are typed', () => {
  expect(loadConfig(definition, { PORT: '', SECRET: 'long enough' })).toEqual({ PORT: 80, SECRET: 'long enough' });
});

test.each([
  ['absent', {}, /SECRET is not set: a secret/],
  ['wrong', { SECRET: 'tiny' }, /SECRET: at least 8 characters/],
  ['several at once', { SECRET: 'tiny', PORT: 'x' }, /PORT: [\s\S]*SECRET: /],
])('%s: the error names each variable', (_, environment, message) => {
  expect(() => loadConfig(definition, environment)).toThrow(ConfigError);
  expect(() => loadConfig(definition, environment)).toThrow(message);
});

test('an error never shows a value', () => {
  try {
    loadConfig(definition, { SECRET: 'hunter2', PORT: 'hunter3' });
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toMatch(/hunter/);
  }
});

test('a secret can be in a file, which is checked like any other value and never shown', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skyrun-config-'));
  const file = join(directory, 'secret');
  const load = (environment: Record<string, string>) => loadConfig(definition, environment);
  try {
    writeFileSync(file, 'long enough\n');
    expect(load({ SECRET_FILE: file })).toEqual({ PORT: 80, SECRET: 'long enough' });
    expect(() => load({ SECRET_FILE: file, SECRET: 'long enough too' })).toThrow(/SECRET_FILE: SECRET is given too/);
    expect(() => load({ SECRET_FILE: join(directory, 'nothing') })).toThrow(/SECRET_FILE: ENOENT/);
    // What is no secret is not read from files.
    expect(load({ SECRET_FILE: file, PORT_FILE: file }).PORT).toBe(80);
    writeFileSync(file, 'hunter2');
    expect(() => load({ SECRET_FILE: file })).toThrow(/^(?!.*hunter)[\s\S]*SECRET: at least 8 characters/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
