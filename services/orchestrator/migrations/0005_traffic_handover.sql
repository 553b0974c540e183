-- Reports that a gateway gave to an orchestrator which does not lead, until the leader takes them. Worth seconds: unlogged.
CREATE UNLOGGED TABLE traffic_handover (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  report jsonb NOT NULL
);
