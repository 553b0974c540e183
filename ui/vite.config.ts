import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const CONTROL_PLANE = 'http://127.0.0.1:8080';

// `vite` proxies to a running Skyrun; `vite --mode fake` answers from ui/dev, which no build contains.
export default defineConfig(async ({ command, mode }) => {
  const fake = command === 'serve' && mode === 'fake';
  const plugins = [react(), tailwindcss()];
  return {
    root: import.meta.dirname,
    base: '/',
    plugins: fake ? [...plugins, (await import('./dev/plugin.ts')).fakeApi()] : plugins,
    build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 700 },
    server: {
      host: '127.0.0.1',
      ...(fake ? {} : { proxy: { '/api': CONTROL_PLANE, '/socket.io': { target: CONTROL_PLANE, ws: true } } }),
    },
  };
});
