import { expect, test } from 'vitest';
import { UsageError } from './command.ts';
import { parseCpu, parseEnvironment, parseMemory, parseWhole, serviceNameFrom } from './template.ts';

test.each([
  ['1', 1000],
  ['0.5', 500],
  ['250m', 250],
])('--cpu %s is %d milli-vCPU', (text, milli) => expect(parseCpu(text)).toBe(milli));

test.each([
  ['512Mi', 512],
  ['1Gi', 1024],
  ['1.5Gi', 1536],
  ['64', 64],
])('--memory %s is %d MiB', (text, mib) => expect(parseMemory(text)).toBe(mib));

test.each([
  [() => parseCpu('x')],
  [() => parseCpu('0')],
  [() => parseMemory('1GB')],
  [() => parseEnvironment(['=x'])],
  [() => parseEnvironment(['x'])],
  [() => parseWhole('1.5', '--min')],
  [() => serviceNameFrom('123')],
])('%s is a usage error', (parse) => expect(parse).toThrow(UsageError));

test('a value may hold an equals sign and be empty', () => {
  expect(parseEnvironment(['A=b=c', 'D='])).toEqual([
    { name: 'A', value: 'b=c' },
    { name: 'D', value: '' },
  ]);
});

test.each([
  ['build/My_App.tar.gz', 'my-app'],
  ['hello.tar', 'hello'],
  ['team/web:v2', 'web'],
  ['1st-app', 'st-app'],
  ['web@sha256:abc', 'web'],
])('%s names the service %s', (source, name) => expect(serviceNameFrom(source)).toBe(name));
