export type BusErrorCode = 'bus.unavailable' | 'bus.closed' | 'bus.bad_group' | 'bus.group_conflict' | 'bus.bad_config';

/** Match on `code`; the message is for people. */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export const unavailable = (what: string, cause?: unknown) =>
  new BusError('bus.unavailable', `the broker did not confirm: ${what}; try again`, cause);

export const closed = () => new BusError('bus.closed', 'the bus is closed');

export const groupConflict = (group: string, cause?: unknown) =>
  new BusError(
    'bus.group_conflict',
    `group ${group} exists with another setting of \`ordered\`; use the same one everywhere, or another group name`,
    cause,
  );
