/** The group of the team service under test: client/examples/team-service.ts. */
export const CONSUMER_GROUP = 'tally';
/** The group that hears what it then says again. */
export const ECHO_GROUP = 'chaos-echo';
/** What the commands become. */
export const COMMAND_TYPES = [
  'skyrun.project.created.v1',
  'skyrun.member.added.v1',
  'team.shop.order.placed.v1',
] as const;
/** The publishing team's project. */
export const SHOP = 'shop';
