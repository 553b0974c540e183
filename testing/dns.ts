import { createSocket, type RemoteInfo } from 'node:dgram';

/** A small DNS server on loopback that knows what a test tells it. */
export interface TestDns {
  /** As a resolver is told of it. */
  readonly server: string;
  /** Names that were asked for, in order. */
  readonly asked: readonly string[];
  /** Replaces the records of a name; none: the name does not exist. */
  set(name: string, records: { readonly txt?: readonly string[]; readonly cname?: string }): void;
  /** It answers nothing, as one that is unreachable. */
  silence(silent: boolean): void;
  close(): Promise<void>;
}

const CNAME = 5;
const TXT = 16;
const IN = 1;
const NAME_ERROR = 3;
/** Response, authoritative, recursion available (RFC 1035 §4.1.1). */
const FLAGS = 0x8480;
/** The question's name, at its place after the head (§4.1.4). */
const POINTER = Buffer.from([0xc0, 0x0c]);

interface Records {
  readonly txt?: readonly string[];
  readonly cname?: string;
}

export async function startDns(): Promise<TestDns> {
  const zone = new Map<string, Records>();
  const asked: string[] = [];
  let silent = false;
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = questionOf(query);
    asked.push(name);
    if (silent) return;
    const records = zone.get(name.toLowerCase());
    const answers = records === undefined ? [] : answersTo(type, records);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(FLAGS | (records === undefined ? NAME_ERROR : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    server: `127.0.0.1:${socket.address().port}`,
    asked,
    set(name, records) {
      if (records.txt === undefined && records.cname === undefined) zone.delete(name);
      else zone.set(name, records);
    },
    silence(next) {
      silent = next;
    },
    close: () =>
      new Promise((resolve) => {
        socket.close(() => resolve());
      }),
  };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let position = 12;
  for (let length = query[position] ?? 0; length > 0; length = query[position] ?? 0) {
    labels.push(query.toString('latin1', position + 1, position + 1 + length));
    position += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(position + 1), end: position + 5 };
}

function answersTo(type: number, { txt = [], cname }: Records): Buffer[] {
  if (type === TXT) return txt.map((text) => answer(TXT, characterStrings(text)));
  return type === CNAME && cname !== undefined ? [answer(CNAME, encodedName(cname))] : [];
}

function answer(type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(IN, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([POINTER, fixed, data]);
}

/** Of at most 255 bytes each (§3.3). */
function characterStrings(text: string): Buffer {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += 255) {
    const piece = bytes.subarray(start, start + 255);
    pieces.push(Buffer.from([piece.length]), piece);
  }
  return Buffer.concat(pieces);
}

function encodedName(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([...labels, Buffer.from([0])]);
}
