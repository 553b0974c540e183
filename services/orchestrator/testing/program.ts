/**
 * The program inside the test image, as source text: it runs on plain Node in the container. See
 * `runtime/memory/program.ts` for what its variables mean; it also answers HTTP, to look at the sandbox from inside.
 */
export const PROGRAM_SOURCE = `
const http = require('node:http');
const net = require('node:net');
const fs = require('node:fs');
const env = process.env;
console.log('hello from ' + env.K_REVISION);
console.error('a warning');
process.on('SIGTERM', () => { if (!env.IGNORE_TERM) process.exit(0); });
let stdinEnded = false;
process.stdin.on('end', () => { stdinEnded = true; }).resume();
const attempt = (fn) => { try { fn(); return 'ok'; } catch (error) { return error.code; } };
const connect = (host, port) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 1500 });
  socket.once('connect', () => { socket.destroy(); resolve('connected'); });
  socket.once('timeout', () => { socket.destroy(); resolve('timeout'); });
  socket.once('error', (error) => resolve(error.code));
});
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://container');
  if (url.pathname === '/fail') { response.statusCode = 500; response.end(); return; }
  if (url.pathname === '/connect') {
    response.end(await connect(url.searchParams.get('host'), Number(url.searchParams.get('port'))));
    return;
  }
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const field = (name) => new RegExp('^' + name + ':\\\\s*(.*)$', 'm').exec(status)[1];
  response.end(JSON.stringify({
    env, uid: process.getuid(), cwd: process.cwd(), argv: process.argv.slice(2), stdinEnded,
    capabilities: field('CapEff'), bounding: field('CapBnd'), noNewPrivileges: field('NoNewPrivs'), seccomp: field('Seccomp'),
    writeRoot: attempt(() => fs.writeFileSync('/file', 'x')),
    writeTmp: attempt(() => fs.writeFileSync('/tmp/file', 'x')),
    interfaces: require('node:os').networkInterfaces(),
  }));
});
if (env.LISTEN_DELAY_MS !== 'never') {
  setTimeout(() => server.listen(Number(env.PORT)), Number(env.LISTEN_DELAY_MS || 0));
} else setInterval(() => {}, 1000);
if (env.EXIT_AFTER_MS !== undefined) {
  setTimeout(() => process.exit(Number(env.EXIT_CODE || 0)), Number(env.EXIT_AFTER_MS));
}
const eaten = [];
for (let mib = 0; mib < Number(env.EAT_MIB || 0); mib += 8) eaten.push(Buffer.alloc(8 * 1024 * 1024, 1));
`;
