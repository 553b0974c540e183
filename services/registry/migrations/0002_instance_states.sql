-- Instances that are not over have more states than three; an index over those that are over nothing needs no list.
drop index instances_revision;
drop index instances_service;
create index instances_revision on instances (revision_id) where state not in ('stopped', 'failed');
create index instances_service on instances (service_id) where state not in ('stopped', 'failed');
