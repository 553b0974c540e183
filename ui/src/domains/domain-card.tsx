import { type Domain, OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RefreshCw, Trash2 } from 'lucide-react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { keys } from '../api/queries.ts';
import { useRowAction } from '../api/use-action.ts';
import { Ago } from '../components/ago.tsx';
import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { Panel } from '../components/panel.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { DomainState } from './domain-state.tsx';

/** The records of which one proves the domain, to be copied into a DNS provider's form. */
function Records({ domain }: { domain: Domain }) {
  return (
    <div className="flex flex-col gap-2">
      <p className="text-ink-2">
        {domain.proofs.length > 1
          ? 'Make one of these records at your DNS provider. The second proves it and leads visitors here.'
          : 'Make this record at your DNS provider.'}
      </p>
      <Table label={`Records that prove ${domain.name}`}>
        <thead>
          <tr>
            <HeadCell>Type</HeadCell>
            <HeadCell>Name</HeadCell>
            <HeadCell>Value</HeadCell>
          </tr>
        </thead>
        <tbody>
          {domain.proofs.map(({ type, name, value }) => (
            <tr key={type}>
              <Cell className="font-medium">{type}</Cell>
              <Cell>
                <span className="flex items-center gap-1 font-mono text-xs whitespace-nowrap">
                  {name}
                  <CopyButton text={name} label={`Copy the name of the ${type} record`} />
                </span>
              </Cell>
              <Cell>
                <span className="flex items-center gap-1 font-mono text-xs whitespace-nowrap">
                  {value}
                  <CopyButton text={value} label={`Copy the value of the ${type} record`} />
                </span>
              </Cell>
            </tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}

export function DomainCard({
  domain,
  may,
  onRemove,
}: {
  domain: Domain;
  /** The person may change it. */
  may: boolean;
  onRemove: () => void;
}) {
  const api = useApi();
  const queries = useQueryClient();
  const { project, name, service, state, reason, message, url, checkedAt } = domain;
  const proved = state === 'verified' && reason === 'proved';
  const { busy, run: verify } = useRowAction(`${name} was not checked`, async () => {
    try {
      const found = await api.call(OPERATIONS.verifyDomain, { params: { project, domain: name } });
      toast(found.state === 'verified' ? `${name} leads to ${service}.` : found.message);
    } finally {
      await queries.invalidateQueries({ queryKey: keys.domains(project) });
    }
  });
  return (
    <Panel>
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <h2 className="min-w-0 font-semibold break-all">
            {proved && url !== null ? (
              <a href={url} target="_blank" rel="noreferrer" className="hover:underline">
                {name}
              </a>
            ) : (
              name
            )}
          </h2>
          <DomainState domain={domain} />
          {may && (
            <span className="ml-auto flex items-center gap-1">
              <Button busy={busy} onClick={verify}>
                <RefreshCw aria-hidden />
                Check now
              </Button>
              <Button tone="ghost" size="icon" aria-label={`Remove ${name}`} onClick={onRemove}>
                <Trash2 aria-hidden />
              </Button>
            </span>
          )}
        </div>
        <p className="text-ink-2">
          {state === 'verified' ? 'Leads' : 'Will lead'} to{' '}
          <Link
            to="/projects/$project/services/$service"
            params={{ project, service }}
            className="font-medium text-accent-ink hover:underline"
          >
            {service}
          </Link>
          . {message}
          {checkedAt !== null && (
            <span className="text-ink-3">
              {' '}
              Checked <Ago time={checkedAt} />.
            </span>
          )}
        </p>
        {!proved && <Records domain={domain} />}
      </div>
    </Panel>
  );
}
