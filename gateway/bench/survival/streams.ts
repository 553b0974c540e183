import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { HOST } from '../peers.ts';
import type { Setting } from './setting.ts';

const MIB = 1_048_576;
const PAGE_BYTES = 4096;

/**
 * Read buffers pile up until the collector takes them: measured 150 to 170 MiB while a body goes to the instance, for one
 * gigabyte as for three. A body that is kept would be gigabytes.
 */
const ALLOWED_GROWTH_MIB = 256;

export async function surviveStreams({ proxy, options }: Setting): Promise<boolean> {
  const bytes = options.mebibytes * MIB;
  let held = true;
  for (const [name, pass] of [
    ['to the client', download],
    ['to the instance', upload],
  ] as const) {
    const before = await residentMiB(proxy.pid);
    let most = before;
    const watch = setInterval(() => {
      void residentMiB(proxy.pid).then((now) => {
        most = Math.max(most, now);
      });
    }, 200);
    const started = performance.now();
    const passed = await pass(proxy.port, bytes);
    clearInterval(watch);
    const rate = passed / MIB / ((performance.now() - started) / 1000);
    held &&= passed === bytes && most - before <= ALLOWED_GROWTH_MIB;
    options.print(
      `${options.mebibytes} MiB ${name}: ${passed === bytes ? 'whole' : `${passed} of ${bytes} bytes`}, ` +
        `${Math.round(rate)} MiB/s, memory ${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most`,
    );
  }
  return held;
}

function download(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    request({ host: '127.0.0.1', port, path: `/bytes/${bytes}`, headers: { host: HOST } }, (response) => {
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('end', () => resolve(received));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

function upload(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const piece = Buffer.alloc(MIB, 7);
    const asked = request(
      { host: '127.0.0.1', port, method: 'POST', path: '/', headers: { host: HOST } },
      (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(Number(text)));
      },
    );
    asked.on('error', reject);
    let left = bytes / MIB;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!asked.write(piece)) {
          asked.once('drain', write);
          return;
        }
      }
      asked.end();
    };
    write();
  });
}

async function residentMiB(pid: number): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8');
  return (Number(statm.split(' ')[1]) * PAGE_BYTES) / MIB;
}
