/** The box that lines are in. */
export const LOG_BOX =
  'h-[calc(100dvh-26rem)] min-h-80 overflow-y-auto rounded-xl border border-line bg-sunken py-2 font-mono text-xs leading-5';
