/** The group that the laboratory's team services share. */
export const CONSUMER_GROUP = 'chaos';
/** The group that hears what it then says again. */
export const ECHO_GROUP = 'chaos-echo';
