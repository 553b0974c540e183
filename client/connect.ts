import { type BusKind, createBus, type DeadLetters, type DeliveryContext, type RetryPolicy } from '@skyrun/bus';
import { type AnyEvent, type EventType, expandTypes, matchesType } from '@skyrun/contracts';
import { type Clock, createLogger, type Logger, systemClock } from '@skyrun/kit';

export interface SkyrunOptions {
  /** `redis` for one machine, `rabbitmq` for the distributed shape; `memory` for your tests. */
  readonly kind: BusKind;
  /** `redis://…` or `amqp://…`. */
  readonly url?: string;
  /** Your team service's name: all its processes share one copy of the events. */
  readonly group: string;
  /** false: all processes share the work, without an order between them. true (default): see README. */
  readonly ordered?: boolean;
  /** Most events handled at once; 64 by default. */
  readonly prefetch?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** As the operator set it; `skyrun` by default. */
  readonly namespace?: string;
}

/** The types that a pattern means: `'skyrun.instance.*'` → every instance event. */
export type TypesOf<Pattern extends string> = Pattern extends EventType
  ? Pattern
  : Pattern extends `${infer Head}*`
    ? Extract<EventType, `${Head}${string}`>
    : never;

export type EventOf<Pattern extends string> = Extract<AnyEvent, { type: TypesOf<Pattern> }>;

export type Handler<Pattern extends string> = (event: EventOf<Pattern>, context: DeliveryContext) => Promise<void>;

export interface Skyrun {
  /**
   * Registers a handler; of several that match an event, all run, one after the other, in the order of registration, and the
   * event is done when all have ended well. Before `start` only.
   * @throws InvalidEventError `unknown_type` when the pattern means no event type
   */
  on<const Pattern extends string>(pattern: Pattern, handler: Handler<Pattern>): Skyrun;
  /** Resolves when the events flow. Waits for a broker that is away. */
  start(): Promise<void>;
  /** Starts nothing new, waits for the handlers that run, disconnects. May be called before start, and twice. */
  stop(): Promise<void>;
  ready(): boolean;
  /** What this group could not handle: list, replay, discard. */
  readonly deadLetters: DeadLetters;
}

interface Registration {
  readonly pattern: string;
  handle(event: AnyEvent, context: DeliveryContext): Promise<void>;
}

/** Connects a team service to the events of a Skyrun installation. */
export async function connectSkyrun(options: SkyrunOptions): Promise<Skyrun> {
  const { group, ordered = true, prefetch, clock = systemClock } = options;
  const logger = options.logger ?? createLogger({ service: group });
  const bus = await createBus({
    kind: options.kind,
    clock,
    logger,
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  });
  const registrations: Registration[] = [];
  let started: Promise<unknown> | undefined;

  const handler = async (event: AnyEvent, context: DeliveryContext) => {
    for (const registration of registrations) {
      if (matchesType(registration.pattern, event.type)) await registration.handle(event, context);
    }
  };

  const skyrun: Skyrun = {
    on(pattern, handle) {
      if (started) throw new Error('register handlers before start: a group has one set of types');
      expandTypes([pattern]);
      registrations.push({
        pattern,
        handle: async (event, context) => {
          if (isOf(pattern, event)) await handle(event, context);
        },
      });
      return skyrun;
    },
    async start() {
      const types = registrations.map(({ pattern }) => pattern);
      started ??= bus.subscribe({ group, types, ordered, handler, ...(prefetch === undefined ? {} : { prefetch }) });
      await started;
    },
    stop: () => bus.close(),
    ready: () => bus.ready(),
    deadLetters: bus.deadLetters(group),
  };
  return skyrun;
}

function isOf<Pattern extends string>(pattern: Pattern, event: AnyEvent): event is EventOf<Pattern> {
  return matchesType(pattern, event.type);
}
