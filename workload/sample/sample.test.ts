import { describe, expect, test } from 'vitest';
import { parseLdd } from './layer.ts';
import { sampleScript } from './script.ts';
import { readFrame, writeFrame } from './websocket.ts';

/** A client frame as a browser sends it. */
function clientFrame(first: number, payload: Buffer, mask = Buffer.from([1, 2, 3, 4])): Buffer {
  const unmasked = writeFrame(first, payload);
  const headLength = unmasked.length - payload.length;
  const head = Buffer.from(unmasked.subarray(0, headLength));
  head[1] = (head[1] ?? 0) | 0x80;
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0))]);
}

describe('WebSocket frames', () => {
  test.each([0, 1, 125, 126, 65_535, 65_536])('of %i bytes are read as they were written', (length) => {
    const payload = Buffer.alloc(length, 0x5a);
    const frame = readFrame(clientFrame(0x82, payload));
    expect(frame).toEqual({ first: 0x82, opcode: 2, payload, bytes: expect.any(Number) });
  });

  test('are not read before their last byte has come', () => {
    const bytes = clientFrame(0x81, Buffer.from('hello'));
    for (let end = 0; end < bytes.length; end += 1) expect(readFrame(bytes.subarray(0, end))).toBeNull();
    expect(readFrame(bytes)?.payload.toString()).toBe('hello');
  });
});

describe('what ldd prints', () => {
  test.each([
    ['a library', '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)\n', ['/lib/x86_64-linux-gnu/libm.so.6']],
    ['the linker', '\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n', ['/lib64/ld-linux-x86-64.so.2']],
    ['the kernel’s own page', '\tlinux-vdso.so.1 (0x00007ffd)\n', []],
  ])('%s', (_name, output, expected) => {
    expect(parseLdd(output)).toEqual(expected);
  });

  test('a missing library is named', () => {
    expect(() => parseLdd('\tlibatomic.so.1 => not found\n')).toThrow('libatomic.so.1');
  });
});

test('the script has neither types nor module syntax left', () => {
  const script = sampleScript();
  expect(() => new Function('require', 'process', script)).not.toThrow();
  expect(script).not.toMatch(/^(import|export) /m);
});
