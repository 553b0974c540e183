import type { DeliveryContext } from '@skyrun/bus';
import type { EventType, SkyrunEvent, TeamEvent } from '@skyrun/contracts';

/**
 * The data of the teams' own types, by type. Empty here; `skyrun events schema types` writes a module that fills it in for your
 * project, and `on` and `publish` are typed by it.
 */
// biome-ignore lint/suspicious/noEmptyInterface: declarations of users are merged into it
export interface TeamEvents {}

type KnownTeamType = Extract<keyof TeamEvents, `team.${string}`>;
type KnownType = EventType | KnownTeamType;

/** The types that a pattern means: `'skyrun.instance.*'` → every instance event. */
export type TypesOf<Pattern extends string> = Pattern extends KnownType
  ? Pattern
  : Pattern extends `${infer Head}*`
    ? Extract<KnownType, `${Head}${string}`>
    : never;

type OneOf<Type extends string> = Type extends EventType
  ? SkyrunEvent<Type>
  : Type extends KnownTeamType
    ? TeamEvent<Type, TeamEvents[Type]>
    : never;

/** What a handler of a pattern gets; `unknown` data for a team's type nobody has described here. */
export type EventOf<Pattern extends string> = [TypesOf<Pattern>] extends [never]
  ? Pattern extends `team.${string}`
    ? TeamEvent
    : never
  : OneOf<TypesOf<Pattern>>;

/** The data of a type that is published. */
export type DataOf<Type extends string> = Type extends KnownTeamType ? TeamEvents[Type] : unknown;

/** With manual acknowledgement the event is yours until one of the two is called; the next of its subject waits for it. */
export interface HandlerContext extends DeliveryContext {
  /** Done. With automatic acknowledgement it changes nothing: a handler that ends well has done it. */
  ack(): void;
  /** It did not work: tried again later, then a dead letter. */
  fail(reason: Error): void;
}

export type Handler<Pattern extends string> = (event: EventOf<Pattern>, context: HandlerContext) => Promise<void>;
