import { createServer, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

const MIB = 1_048_576;
/** Shared by all responses, so that a thousand of them cost no more memory than one. */
const PIECE = Buffer.alloc(MIB, 7);

// An instance in a process of its own, so that its cost is nobody else's. Argument: its port.
//   GET /bytes/N   N bytes          GET, POST /slow/MS   `ok` after so many milliseconds
//   POST           how many bytes came, as text           a WebSocket   its messages, as they came
const [port = '0'] = process.argv.slice(2);

function sendBytes(response: ServerResponse, bytes: number): void {
  let left = Math.ceil(bytes / MIB);
  const write = () => {
    while (left > 0) {
      left -= 1;
      if (!response.write(PIECE)) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  write();
}

const server = createServer((incoming, response) => {
  const [, what, amount = '0'] = /^\/(bytes|slow)\/(\d+)$/.exec(incoming.url ?? '') ?? [];
  if (what === 'slow') {
    incoming.resume();
    setTimeout(() => response.end('ok'), Number(amount));
  } else if (incoming.method === 'POST') {
    let received = 0;
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    incoming.on('end', () => response.end(String(received)));
  } else if (what === 'bytes') sendBytes(response, Number(amount));
  else response.end('ok');
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  // Who leaves without a word is seen by its close.
  socket.on('error', () => socket.terminate());
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
