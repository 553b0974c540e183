import { METHODS } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { NodeReader } from './node-reading.ts';
import {
  type FuzzedConnection,
  newConnection,
  newPlace,
  type Reading,
  type ReadRequest,
  readRequests,
} from './read-requests.ts';
import { cutInto, cuts, requestBytes } from './request-bytes.ts';

/** How often each decision came up: a search that only ever sees refusals proves nothing. */
export interface Tally {
  accepted: number;
  refused: number;
  incomplete: number;
}

export function newTally(): Tally {
  return { accepted: 0, refused: 0, incomplete: 0 };
}

function count(tally: Tally, { requests, rest }: Reading): void {
  tally.accepted += requests.length;
  if (rest === 'fault') tally.refused += 1;
  if (rest === 'incomplete') tally.incomplete += 1;
}

/**
 * The same bytes are the same requests however they are split, and whatever the reader has read before, on this connection or,
 * as the pool of readers passes them on, on another.
 */
export function splitsAgree(tally: Tally): fc.IProperty<[Buffer, number[], Buffer]> {
  return fc.property(requestBytes, cuts, requestBytes, (bytes, places, earlier) => {
    const whole = readRequests([bytes]);
    count(tally, whole);
    agree(whole, readRequests(cutInto(bytes, places)), 'split');
    agree(whole, readRequests([bytes], afterAnother(earlier)), 'after another connection');
    agree(whole, readRequests(cutInto(bytes, places), afterAnother(bytes)), 'after the same on another connection');
    agree(whole, readRequests(cutInto(bytes, places), inTurn(earlier)), 'in turn with another connection');
    agree(whole, readRequests(cutInto(bytes, places), inTurn(bytes)), 'in turn with the same on another connection');
    agree(whole, readRequests([bytes], neighbour(earlier)), 'beside another connection');
    agree(whole, readRequests(cutInto(bytes, places), neighbour(bytes)), 'beside the same on another connection');
  });
}

/** What is accepted here Node reads as the same requests, as it came and as it is sent on. */
export function nodeAgrees(node: NodeReader, tally: Tally): fc.IAsyncProperty<[Buffer]> {
  return fc.asyncProperty(requestBytes, async (bytes) => {
    const reading = readRequests([bytes]);
    count(tally, reading);
    const ours = comparable(reading.requests, bytes);
    const last = ours.at(-1);
    if (last === undefined) return;
    const asItCame = await node.read(bytes.subarray(0, last.end));
    same(asItCame.fault, '', 'Node refuses what was accepted');
    same(
      asItCame.requests.map(({ method, host }) => `${method} ${host}`),
      ours.map(({ method, authority }) => `${method} ${authority}`),
      'Node reads other requests',
    );
    const sentOn = await node.read(Buffer.concat(ours.map((one) => forwarded(one, bytes))));
    same(sentOn.fault, '', 'Node refuses what is sent on');
    same(
      sentOn.requests.map(({ method, target, host, body }) => [method, target, host, body]),
      ours.map(({ method, target, authority }, index) => [method, target, authority, asItCame.requests[index]?.body]),
      'Node reads other requests in what is sent on',
    );
  });
}

/**
 * The first requests, as far as Node can be asked: it knows a fixed list of methods, and takes what follows a request to change
 * protocols for the other protocol, also where it does not change.
 */
function comparable(requests: readonly ReadRequest[], bytes: Buffer): readonly ReadRequest[] {
  const foreign = requests.findIndex(({ method }) => !METHODS.includes(method));
  const known = foreign === -1 ? requests : requests.slice(0, foreign);
  const change = known.findIndex(({ end, body, head }) =>
    /^upgrade[ \t]*:/im.test(bytes.toString('latin1', end - body - head, end - body)),
  );
  return change === -1 ? known : known.slice(0, change + 1);
}

function forwarded({ forwarded: head, body, end }: ReadRequest, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end - body, end)]);
}

/** A connection whose reader is another's, which has read this. */
function afterAnother(earlier: Buffer): FuzzedConnection {
  const place = newPlace();
  readRequests([earlier], newConnection(place));
  return newConnection(place);
}

/** One whose reader reads this for another connection whenever it is free. */
function inTurn(other: Buffer): FuzzedConnection {
  const place = newPlace();
  const neighbour = newConnection(place);
  return newConnection(place, () => readRequests([other], neighbour));
}

/** One that shares what heads mean with a connection that has read this, whatever became of that, but not its reader. */
function neighbour(earlier: Buffer): FuzzedConnection {
  const place = newPlace();
  const other = newConnection(place);
  readRequests([earlier], other);
  place.take(other.before);
  return newConnection(place);
}

/** A fault may show before the rest of a head is there; nothing else may differ. */
function agree(whole: Reading, other: Reading, how: string): void {
  same(other.requests, whole.requests, how);
  const soon = [whole.rest, other.rest].every((rest) => rest !== 'nothing');
  if (!soon) same(other.rest, whole.rest, how);
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
