/**
 * Types of the teams' own: `team.<project>.<noun>.<past-verb>.v<n>`, e.g. `team.shop.order.placed.v1`. Their data is described by
 * a JSON Schema that the team registers, so this package knows the form of the name and not the data.
 */
export type TeamEventType = `team.${string}`;

const LABEL = '[a-z](?:[a-z0-9]|-(?!-))*';
const WORD = '[a-z][a-z0-9_]*';
export const TEAM_TYPE = new RegExp(`^team\\.(${LABEL})\\.(${WORD})\\.(${WORD})\\.v([1-9]\\d{0,3})$`);
const TEAM_PATTERN = /^team(\.[a-z][a-z0-9_-]*)*\.(\*|v[1-9]\d{0,3})$/;

/** What the name of a team's type says; null when it is none. */
export function parseTeamType(
  type: string,
): { readonly project: string; readonly noun: string; readonly verb: string; readonly version: number } | null {
  const [, project, noun, verb, version] = TEAM_TYPE.exec(type) ?? [];
  if (project === undefined || noun === undefined || verb === undefined) return null;
  return { project, noun, verb, version: Number(version) };
}

export function isTeamType(type: string): type is TeamEventType {
  return TEAM_TYPE.test(type);
}

/** `team.*`, `team.shop.*`, `team.shop.order.*` or a whole type: `*` stands at the end, for whole segments. */
export function isTeamPattern(pattern: string): pattern is TeamEventType {
  return TEAM_PATTERN.test(pattern);
}
