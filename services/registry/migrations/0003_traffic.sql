-- Where a service's traffic goes, as resolved from its spec: revision, percent, tag, whether it follows the latest.
alter table services add column routed jsonb not null default '[]';
-- Revisions that are to get traffic as soon as an instance of them is ready; until then traffic stays where it is.
alter table services add column warming jsonb not null default '[]';
-- Why traffic does not go where the spec says: status, reason, message, since.
alter table services add column route_problem jsonb;
-- The last rollout to the latest ready revision; none where traffic was set by hand since.
alter table services add column rollout_id text;

update services set routed = jsonb_build_array(jsonb_build_object(
  'revisionId', revisions.id, 'revisionName', revisions.name, 'percent', 100, 'latestRevision', true))
from revisions where revisions.id = services.latest_ready_id;

-- A revision that had traffic goes on scaling with what reaches it until then, so that a way back needs no cold start.
alter table revisions add column lingers_until timestamptz;

create table rollouts (
  id text primary key,
  service_id text not null references services (id),
  from_revision_id text not null,
  from_revision text not null,
  to_revision_id text not null,
  to_revision text not null,
  policy jsonb not null,
  state text not null check (state in ('running', 'completed', 'rolled-back', 'superseded')),
  -- Index into the policy's steps.
  step integer not null,
  percent integer not null,
  sentence text not null,
  started_at timestamptz not null,
  step_since timestamptz not null,
  ended_at timestamptz,
  decisions jsonb not null
);
create index rollouts_service on rollouts (service_id, id desc);
create index rollouts_running on rollouts (id) where state = 'running';
