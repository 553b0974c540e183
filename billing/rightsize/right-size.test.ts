import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MeasuredService, rightSize } from './right-size.ts';

const measured = (fields: Partial<MeasuredService> = {}): MeasuredService => ({
  service: 'api',
  cpuMilli: 1000,
  memoryMib: 512,
  cpuUsed: { p50: 300, p95: 600, max: 900 },
  memoryUsed: { p50: 200, p95: 300, max: 400 },
  windows: 100,
  instances: 3,
  ...fields,
});
const cpu = (p95: number) => ({ p50: p95 / 2, p95, max: p95 });
const memory = (max: number) => ({ p50: max / 2, p95: max, max });

describe('a recommended size', () => {
  test.each([
    ['what fits stays', {}, 'fits', 1000, 512],
    ['CPU that lies idle goes', { cpuUsed: cpu(60) }, 'shrink', 100, 512],
    ['CPU just within the share of the next smaller size', { cpuUsed: cpu(350) }, 'shrink', 500, 512],
    ['CPU just beyond it', { cpuUsed: cpu(351) }, 'fits', 1000, 512],
    ['a size in between stays where it is the better one', { cpuMilli: 900, cpuUsed: cpu(600) }, 'fits', 900, 512],
    ['a size in between goes where a smaller one does', { cpuMilli: 900, cpuUsed: cpu(100) }, 'shrink', 250, 512],
    ['CPU near its limit gets more', { cpuUsed: cpu(800) }, 'grow', 2000, 512],
    ['CPU held back by its limit gets the next size', { cpuUsed: cpu(999) }, 'grow', 2000, 512],
    [
      'memory by its highest use, not its usual one',
      { memoryUsed: { p50: 10, p95: 20, max: 450 } },
      'grow',
      1000,
      1024,
    ],
    ['memory that lies idle goes', { memoryUsed: memory(90) }, 'shrink', 1000, 128],
    ['one grows and one shrinks', { cpuUsed: cpu(60), memoryUsed: memory(500) }, 'mixed', 100, 1024],
    ['the largest size is not left', { cpuMilli: 8000, cpuUsed: cpu(8000) }, 'fits', 8000, 512],
    ['a few minutes say nothing', { windows: 29, cpuUsed: cpu(1) }, 'too_little', 1000, 512],
  ] as const)('%s', (_, fields, verdict, cpuMilli, memoryMib) => {
    expect(rightSize(measured(fields))).toMatchObject({ verdict, cpuMilli, memoryMib });
  });

  test('says of hardly anything that it is at most one percent, not none', () => {
    expect(rightSize(measured({ cpuUsed: cpu(1) })).reason).toContain('at most 1 % of 1 vCPU');
    expect(rightSize(measured({ cpuUsed: cpu(0) })).reason).toContain('at most 1 % of 1 vCPU');
  });

  test('names the figures it is from', () => {
    expect(rightSize(measured({ cpuUsed: cpu(60) })).reason).toBe(
      'Over 100 measured minutes of 3 instances 95 % of the time it used at most 6 % of 1 vCPU, and never more than 79 % of 512 MiB.',
    );
  });

  test('always holds what was used, and following it changes nothing more', () => {
    const use = fc.integer({ min: 0, max: 8000 });
    fc.assert(
      fc.property(fc.integer({ min: 80, max: 8000 }), fc.integer({ min: 32, max: 32768 }), use, use, (c, m, uc, um) => {
        const one = measured({
          cpuMilli: c,
          memoryMib: m,
          cpuUsed: cpu(Math.min(uc, c)),
          memoryUsed: memory(Math.min(um, m)),
        });
        const said = rightSize(one);
        expect(said.cpuMilli).toBeGreaterThanOrEqual(one.cpuUsed.p95);
        expect(said.memoryMib).toBeGreaterThanOrEqual(one.memoryUsed.max);
        const again = rightSize({ ...one, ...said });
        expect(again).toMatchObject({ cpuMilli: said.cpuMilli, memoryMib: said.memoryMib });
      }),
    );
  });
});
