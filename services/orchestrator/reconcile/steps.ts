/** The whole vocabulary of what the orchestrator does to instances; the executor has one entry for each word. */
export interface StepFields {
  /** A new instance of a revision: row, container, start, probe. */
  create: { readonly revisionId: string };
  /** Go on with an instance whose row is written and whose container may not exist or run yet. */
  start: { readonly instanceId: string };
  /** Ask a running instance whether it is up, until it is or its deadline is over. */
  probe: { readonly instanceId: string };
  /** Ask a serving instance for as long as it serves whether it is well. */
  watch: { readonly instanceId: string };
  /** It is not needed for now: tell gateways to send nothing new without waking it. */
  pause: { readonly instanceId: string };
  /** Gateways have heard and nothing is under way: stop its processes where they are. */
  freeze: { readonly instanceId: string };
  /** It is needed again: let its processes go on, and tell gateways. */
  resume: { readonly instanceId: string };
  /** Stop its container and keep it. */
  park: { readonly instanceId: string };
  /** It is needed again: start its container again. */
  wake: { readonly instanceId: string };
  /** Tell gateways to send nothing new. */
  drain: { readonly instanceId: string; readonly reason: StopReason };
  /** SIGTERM, grace, SIGKILL; then account for it and forget the container. */
  stop: { readonly instanceId: string; readonly reason: StopReason };
  /** It is over without us: account for it, say why, forget the container. */
  end: { readonly instanceId: string };
  /** A running container of a wanted revision without a row gets one. */
  adopt: { readonly instanceId: string };
  /** A container that nothing wants and no row names. */
  discard: { readonly instanceId: string };
}

export type StepKind = keyof StepFields;
export type Step = { [Kind in StepKind]: { readonly kind: Kind } & StepFields[Kind] }[StepKind];
export type StepOf<Kind extends StepKind> = Extract<Step, { kind: Kind }>;

/** Why an instance is stopped on purpose. */
export type StopReason = 'ScaledDown' | 'Idle' | 'RevisionRetired' | 'Superseded' | 'ProjectPaused' | 'PlatformStopped';
