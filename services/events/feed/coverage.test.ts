import { describe, expect, it } from 'vitest';
import { alreadySent, type LiveScope, roomsFor } from './coverage.ts';

const all: LiveScope = { scope: { all: true }, from: 10n };
const demo: LiveScope = { scope: { project: 'demo' }, from: 20n };

describe('roomsFor', () => {
  it('sends events without a project to those who follow everything only', () => {
    expect(roomsFor({})).toEqual(['all']);
    expect(roomsFor({ project: 'demo' })).toEqual(['all', 'project:demo']);
  });
});

describe('alreadySent', () => {
  it.each<[string, LiveScope[], number, string | undefined, boolean]>([
    ['nothing', [], 5, 'demo', false],
    ['all, where it began', [all], 10, 'demo', false],
    ['all', [all], 11, 'demo', true],
    ['all, of the installation', [all], 11, undefined, true],
    ['a project, where it began', [demo], 20, 'demo', false],
    ['a project', [demo], 21, 'demo', true],
    ['another project', [demo], 21, 'other', false],
    ['a project, of the installation', [demo], 21, undefined, false],
    ['all and a later project', [all, demo], 11, 'demo', true],
  ])('%s', (_, live, position, project, expected) => {
    expect(alreadySent(live, { position: BigInt(position), project })).toBe(expected);
  });
});
