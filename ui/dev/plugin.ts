import type { Plugin } from 'vite';
export function fakeApi(): Plugin {
  return { name: 'skyrun-fake-api' };
}
