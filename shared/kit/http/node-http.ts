// `import … from 'node:http'` evaluates every export of the module, and one of them loads the whole of Node's fetch with its
// WebAssembly parser: 12 MiB of memory. Taken like this, what is not used is not loaded.
export const nodeHttp = process.getBuiltinModule('node:http');
