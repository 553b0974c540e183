import {
  Client,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { route, target } from '../harness/gateway.ts';
import { startTlsGateway, type TlsGateway } from '../harness/tls-gateway.ts';

const HOST = 'hello.demo.localhost';
const asBytes = (text: string) => Buffer.from(text);
const asText = (bytes: Buffer) => bytes.toString();
const codec = {
  requestSerialize: asBytes,
  requestDeserialize: asText,
  responseSerialize: asBytes,
  responseDeserialize: asText,
};

let server: Server;
let gateway: TlsGateway;
let client: Client;

beforeAll(async () => {
  server = new Server();
  server.addService(
    {
      greet: { path: '/demo.Greeter/Greet', requestStream: false, responseStream: false, ...codec },
      chat: { path: '/demo.Greeter/Chat', requestStream: true, responseStream: true, ...codec },
    },
    {
      greet: (call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) => {
        if (call.request === 'nobody') answer({ code: status.NOT_FOUND, details: 'nobody is not here' });
        else answer(null, `hello ${call.request}`);
      },
      chat: (call: ServerDuplexStream<string, string>) => {
        call.on('data', (text: string) => call.write(`${text}!`));
        call.on('end', () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  gateway = await startTlsGateway([route([target([port], { protocol: 'h2c' })], HOST)]);
  client = new Client(`127.0.0.1:${gateway.tlsPort}`, credentials.createSsl(Buffer.from(gateway.ca)), {
    'grpc.ssl_target_name_override': HOST,
    'grpc.default_authority': HOST,
  });
});

afterAll(async () => {
  client.close();
  await gateway.close();
  server.forceShutdown();
});

function greet(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/demo.Greeter/Greet', asBytes, asText, name, (error, answer) =>
      error === null ? resolve(answer ?? '') : reject(error),
    );
  });
}

test('a call is answered, with its status in the trailers', async () => {
  expect(await greet('world')).toBe('hello world');
});

test('an error without a message reaches the caller by its code', async () => {
  await expect(greet('nobody')).rejects.toMatchObject({ code: status.NOT_FOUND, details: 'nobody is not here' });
});

test('a conversation goes both ways before either side has ended', async () => {
  const call = client.makeBidiStreamRequest('/demo.Greeter/Chat', asBytes, asText);
  const heard: string[] = [];
  for (const text of ['one', 'two', 'three']) {
    const answer = new Promise<string>((resolve) => call.once('data', resolve));
    call.write(text);
    heard.push(await answer);
  }
  expect(heard).toEqual(['one!', 'two!', 'three!']);
  const end = new Promise<{ code: number; metadata: Metadata }>((resolve) => call.once('status', resolve));
  call.end();
  call.resume();
  expect((await end).code).toBe(status.OK);
});

test('a gateway that cannot reach the service says so in gRPC words', async () => {
  const missing = new Client(`127.0.0.1:${gateway.tlsPort}`, credentials.createSsl(Buffer.from(gateway.ca)), {
    'grpc.ssl_target_name_override': HOST,
    'grpc.default_authority': 'missing.demo.localhost',
  });
  const failed = new Promise((resolve) => {
    missing.makeUnaryRequest('/demo.Greeter/Greet', asBytes, asText, 'x', (error) => resolve(error));
  });
  expect(await failed).toMatchObject({ code: status.UNIMPLEMENTED });
  missing.close();
});
