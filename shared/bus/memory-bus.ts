import { randomUUID } from 'node:crypto';
import { type AnyEvent, parseEvent, type TypeSet } from '@skyrun/contracts';
import type { Clock, Logger } from '@skyrun/kit';
import { eventOf } from './dead-letter.ts';
import { Dispatcher } from './dispatcher.ts';
import { closed, groupConflict } from './errors.ts';
import type {
  DeadLetter,
  DeadLetters,
  EventBus,
  GroupOptions,
  RetryPolicy,
  SubscribeOptions,
  Subscription,
} from './event-bus.ts';
import { assertGroupName, DEFAULT_PREFETCH, parseGroup } from './group.ts';

interface Entry {
  readonly order: number;
  readonly body: string;
}

interface Member {
  readonly dispatcher: Dispatcher;
  readonly taken: Map<number, Entry>;
}

interface MemoryGroup {
  types: TypeSet;
  readonly ordered: boolean;
  waiting: Entry[];
  members: Member[];
  letters: DeadLetter[];
}

/** What outlives a bus: give one to several buses and they meet as processes on a broker do. */
export class MemoryBroker {
  readonly groups = new Map<string, MemoryGroup>();
  #order = 0;

  declare(name: string, types: TypeSet, ordered: boolean): MemoryGroup {
    const known = this.groups.get(name);
    if (!known) {
      const group: MemoryGroup = { types, ordered, waiting: [], members: [], letters: [] };
      this.groups.set(name, group);
      return group;
    }
    if (known.ordered !== ordered) throw groupConflict(name);
    known.types = types;
    return known;
  }

  /** Appends a body as a producer would, unchecked. */
  append(type: string, body: string): void {
    for (const group of this.groups.values()) {
      if (group.types.has(type)) this.enqueue(group, body);
    }
  }

  enqueue(group: MemoryGroup, body: string): void {
    this.#order += 1;
    group.waiting.push({ order: this.#order, body });
    this.pump(group);
  }

  join(group: MemoryGroup, member: Member): void {
    group.members.push(member);
    this.pump(group);
  }

  leave(group: MemoryGroup, member: Member): void {
    group.members = group.members.filter((other) => other !== member);
    group.waiting = [...member.taken.values(), ...group.waiting].sort((a, b) => a.order - b.order);
    member.taken.clear();
    this.pump(group);
  }

  pump(group: MemoryGroup): void {
    for (let entry = group.waiting[0]; entry; entry = group.waiting[0]) {
      const member = group.ordered ? group.members[0] : roomiest(group.members);
      if (!member || member.dispatcher.room === 0) return;
      group.waiting.shift();
      member.taken.set(entry.order, entry);
      this.#deliver(group, member, entry);
    }
  }

  #deliver(group: MemoryGroup, member: Member, entry: Entry): void {
    member.dispatcher.accept({
      body: entry.body,
      done() {
        member.taken.delete(entry.order);
        return undefined;
      },
      async bury(failure) {
        group.letters.push({ id: randomUUID(), event: eventOf(entry.body), body: entry.body, ...failure });
        member.taken.delete(entry.order);
      },
    });
  }
}

function roomiest(members: readonly Member[]): Member | undefined {
  return members.reduce<Member | undefined>(
    (best, member) => (!best || member.dispatcher.room > best.dispatcher.room ? member : best),
    undefined,
  );
}

export interface MemoryBusOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  readonly broker?: MemoryBroker;
}

/** The bus of one process, for tests and simulation: everything the brokers promise but durability. */
export function createMemoryBus({ clock, logger, retry, broker = new MemoryBroker() }: MemoryBusOptions): EventBus {
  const subscriptions = new Set<Subscription>();
  let open = true;

  const assertOpen = () => {
    if (!open) throw closed();
  };

  return {
    async publish(events: readonly AnyEvent[]) {
      assertOpen();
      const bodies = events.map((event) => ({ type: event.type, body: JSON.stringify(parseEvent(event)) }));
      for (const { type, body } of bodies) broker.append(type, body);
    },

    async declareGroup(options: GroupOptions) {
      assertOpen();
      const { name, types, ordered } = parseGroup(options);
      broker.declare(name, types, ordered);
    },

    async subscribe(options: SubscribeOptions) {
      assertOpen();
      const { name, types, ordered, sideBySide } = parseGroup(options);
      const ephemeral = options.ephemeral === true;
      const place = ephemeral ? `${name}.${randomUUID()}` : name;
      const group = broker.declare(place, types, ordered);
      const { handler, prefetch = DEFAULT_PREFETCH } = options;
      const onRoom = () => broker.pump(group);
      const dispatcher = new Dispatcher({
        name,
        types,
        prefetch,
        sideBySide,
        handler,
        clock,
        logger,
        retry,
        ephemeral,
        onRoom,
      });
      const member: Member = { dispatcher, taken: new Map() };
      broker.join(group, member);
      const subscription: Subscription = {
        async close() {
          if (!subscriptions.delete(subscription)) return;
          await dispatcher.stop();
          broker.leave(group, member);
          if (ephemeral) broker.groups.delete(place);
        },
      };
      subscriptions.add(subscription);
      return subscription;
    },

    deadLetters(name): DeadLetters {
      assertGroupName(name);
      return memoryDeadLetters(broker, name, logger);
    },

    ready: () => open,

    async close() {
      open = false;
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    },
  };
}

function memoryDeadLetters(broker: MemoryBroker, name: string, logger: Logger): DeadLetters {
  const take = (wanted: (letter: DeadLetter) => boolean): DeadLetter[] => {
    const group = broker.groups.get(name);
    if (!group) return [];
    const taken = group.letters.filter(wanted);
    group.letters = group.letters.filter((letter) => !taken.includes(letter));
    return taken;
  };
  return {
    async list(limit = 100, cursor) {
      const letters = broker.groups.get(name)?.letters ?? [];
      const from = cursor === undefined ? 0 : letters.findIndex((letter) => letter.id === cursor) + 1;
      const items = letters.slice(from, from + limit);
      return { items, next: from + limit < letters.length ? (items.at(-1)?.id ?? null) : null };
    },
    async replay(ids) {
      const group = broker.groups.get(name);
      const letters = take((letter) => ids === 'all' || ids.includes(letter.id));
      if (group) for (const letter of letters) broker.enqueue(group, letter.body);
      return letters.length;
    },
    async discard(ids, reason) {
      const letters = take((letter) => ids.includes(letter.id));
      for (const letter of letters) logger.info({ group: name, letter: letter.id, reason }, 'dead letter discarded');
      return letters.length;
    },
  };
}
