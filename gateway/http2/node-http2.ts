/**
 * Loaded when something speaks HTTP/2 for the first time: an import would load it, and what it rests on, into every gateway,
 * for about seven megabytes.
 */
export const nodeHttp2 = () => process.getBuiltinModule('node:http2');
