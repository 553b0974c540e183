import { connect, createServer } from 'node:net';
import { joined } from './joined.ts';

// Run in a network namespace by still-network.ts: the port of its loopback leads to the socket's file.
const [path = '', port = ''] = process.argv.slice(2);
createServer({ allowHalfOpen: true }, (socket) => joined(socket, connect({ path, allowHalfOpen: true }))).listen(
  Number(port),
  '127.0.0.1',
  () => process.stdout.write('ready\n'),
);
process.stdin.resume().on('end', () => process.exit());
