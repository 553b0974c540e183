import { Link } from '@tanstack/react-router';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { figure, millisText } from '../format/quantity.ts';
import type { BusyClient, BusyLimit, BusyService, Combined } from './combine.ts';

export function ServiceLink({ project, service }: { project: string; service: string }) {
  return (
    <Link
      to="/projects/$project/services/$service"
      params={{ project, service }}
      className="font-medium underline-offset-4 hover:underline"
    >
      {project}/{service}
    </Link>
  );
}

export function BusyServices({ services }: { services: readonly BusyService[] }) {
  return (
    <Table label="Busiest services, table" className="min-w-160">
      <thead>
        <tr>
          <HeadCell>Service</HeadCell>
          <HeadCell>Revision</HeadCell>
          <HeadCell className="text-right">Requests/s</HeadCell>
          <HeadCell className="text-right">5xx/s</HeadCell>
          <HeadCell className="text-right">p95</HeadCell>
          <HeadCell className="text-right">In flight</HeadCell>
          <HeadCell className="text-right">Waiting</HeadCell>
          <HeadCell className="text-right">Instances</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {services.map((busy) => (
          <tr key={`${busy.project}/${busy.revision}`}>
            <Cell>
              <ServiceLink project={busy.project} service={busy.service} />
            </Cell>
            <Cell className="font-mono text-xs whitespace-nowrap text-ink-2">{busy.revision}</Cell>
            <Cell className="figures text-right">{figure(busy.requests)}</Cell>
            <Cell className={`figures text-right ${busy.errors > 0 ? 'text-bad-ink' : ''}`}>{figure(busy.errors)}</Cell>
            <Cell className="figures text-right whitespace-nowrap">{millisText(busy.p95Ms)}</Cell>
            <Cell className="figures text-right">{busy.inFlight}</Cell>
            <Cell className="figures text-right">{busy.waiting}</Cell>
            <Cell className="figures text-right whitespace-nowrap">
              {busy.ready} of {busy.instances}
            </Cell>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

export function BusyClients({ clients }: { clients: readonly BusyClient[] }) {
  return (
    <Table label="Top talkers, table">
      <thead>
        <tr>
          <HeadCell>Address</HeadCell>
          <HeadCell className="text-right">Requests/s</HeadCell>
          <HeadCell className="text-right">Connections</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {clients.map(({ address, requests, connections }) => (
          <tr key={address}>
            <Cell className="font-mono text-xs">{address}</Cell>
            <Cell className="figures text-right">{figure(requests)}</Cell>
            <Cell className="figures text-right">{connections}</Cell>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

export function BusyLimits({ limits }: { limits: readonly BusyLimit[] }) {
  return (
    <Table label="Rate limits that refuse, table">
      <thead>
        <tr>
          <HeadCell>Service</HeadCell>
          <HeadCell>Limit</HeadCell>
          <HeadCell className="text-right">Refused/s</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {limits.map(({ project, service, limit, per, refused }) => (
          <tr key={`${project}/${service}/${limit}`}>
            <Cell>
              <ServiceLink project={project} service={service} />
            </Cell>
            <Cell>
              {limit} <span className="text-ink-3">per {per}</span>
            </Cell>
            <Cell className="figures text-right">{figure(refused)}</Cell>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

export function Ejected({ ejected }: { ejected: Combined['ejected'] }) {
  return (
    <Table label="Ejected instances, table" className="min-w-144">
      <thead>
        <tr>
          <HeadCell>Service</HeadCell>
          <HeadCell>Instance</HeadCell>
          <HeadCell>Ejected by</HeadCell>
          <HeadCell className="text-right">Failures in a row</HeadCell>
          <HeadCell className="text-right">Tried again</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {ejected.map(({ gateway, project, service, revision, instanceId, failures, retryInMs }) => (
          <tr key={`${gateway}/${instanceId}`}>
            <Cell>
              <ServiceLink project={project} service={service} />
              <span className="block font-mono text-xs text-ink-3">{revision}</span>
            </Cell>
            <Cell className="font-mono text-xs">{instanceId}</Cell>
            <Cell className="font-mono text-xs whitespace-nowrap">{gateway}</Cell>
            <Cell className="figures text-right">{failures}</Cell>
            <Cell className="figures text-right whitespace-nowrap">
              {retryInMs === 0 ? 'by the next request' : `in ${millisText(retryInMs)}`}
            </Cell>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
