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
