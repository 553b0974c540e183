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
      <ul
        aria-label={`Records that prove ${domain.name}`}
        className="divide-y divide-line rounded-lg border border-line"
      >
        {domain.proofs.map(({ type, name, value }) => (
          <li
            key={type}
            className="grid gap-x-4 px-3 py-2 sm:grid-cols-[4rem_minmax(0,1fr)_minmax(0,1.4fr)] sm:items-center"
          >
            <span className="font-medium">{type}</span>
            <Part what="name" type={type} text={name} />
            <Part what="value" type={type} text={value} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Part({ what, type, text }: { what: 'name' | 'value'; type: string; text: string }) {
  return (
    <span className="flex min-w-0 items-center gap-1">
      <span className="w-10 shrink-0 text-xs text-ink-3">{what}</span>
      <code className="min-w-0 font-mono text-xs break-all">{text}</code>
      <CopyButton text={text} label={`Copy the ${what} of the ${type} record`} className="ml-auto" />
    </span>
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
