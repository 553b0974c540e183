-- Who is told about a project's money, and the mails to them. An event makes one mail per recipient, however often it comes.
CREATE TABLE billing_contact (
  project text NOT NULL,
  email   text NOT NULL,
  PRIMARY KEY (project, email)
);

CREATE TABLE mail (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id         text NOT NULL UNIQUE,
  project    text NOT NULL,
  cause      text NOT NULL,
  recipient  text NOT NULL,
  subject    text NOT NULL,
  body       text NOT NULL,
  state      text NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
  attempts   integer NOT NULL DEFAULT 0,
  error      text,
  due_at     bigint,
  created_at bigint NOT NULL,
  sent_at    bigint,
  CHECK ((state = 'queued') = (due_at IS NOT NULL)),
  CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  UNIQUE (cause, recipient)
);
CREATE INDEX mail_project ON mail (project, seq);
CREATE INDEX mail_due ON mail (due_at) WHERE state = 'queued';

-- What instances really used, a row for each minute or so.
CREATE TABLE instance_sample (
  project          text NOT NULL,
  service          text NOT NULL,
  instance_id      text NOT NULL,
  window_start     bigint NOT NULL,
  window_end       bigint NOT NULL,
  samples          integer NOT NULL,
  cpu_p50          double precision NOT NULL,
  cpu_p95          double precision NOT NULL,
  cpu_max          double precision NOT NULL,
  memory_p50       double precision NOT NULL,
  memory_p95       double precision NOT NULL,
  memory_max       double precision NOT NULL,
  cpu_limit_milli  integer NOT NULL,
  memory_limit_mib integer NOT NULL,
  PRIMARY KEY (project, instance_id, window_start)
);
CREATE INDEX instance_sample_service ON instance_sample (project, service, window_start);
