import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

// A peer to measure against, as its README sets it up with keep-alive. Arguments: its port, the instance's.
const [port = '0', upstream = '0'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 512 });
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${upstream}`, agent, xfwd: true });
proxy.on('error', (_error, _request, response) => response.destroy());
createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => proxy.web(request, response)).listen(
  Number(port),
  '127.0.0.1',
);
