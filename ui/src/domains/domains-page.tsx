import { type Domain, OPERATIONS } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Globe, Plus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { domainsQuery, keys } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ListState } from '../components/list-state.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';
import { AddDomain } from './add-domain.tsx';
import { DomainCard } from './domain-card.tsx';

function RemoveDomain({ domain, onClose }: { domain: Domain; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const { project, name } = domain;
  return (
    <ConfirmDialog
      title={`Remove ${name}?`}
      description="Visitors of it are told that nothing is there. Adding it again needs a new record."
      action="Remove domain"
      onConfirm={async () => {
        await api.call(OPERATIONS.removeDomain, { params: { project, domain: name } });
        toast(`${name} was removed.`);
        await queries.invalidateQueries({ queryKey: keys.domains(project) });
      }}
      onClose={onClose}
    />
  );
}

export function DomainsPage() {
  const project = useProjectName();
  const list = useQuery(domainsQuery(useApi(), project));
  const domains = list.data;
  const may = useMay(project)('services.write');
  const [adding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Domain | null>(null);
  return (
    <Page
      title="Domains"
      documentTitle={`Domains – ${project}`}
      subtitle="Hosts of your own that lead to your services."
      actions={
        may && (
          <Button tone="solid" onClick={() => setAdding(true)}>
            <Plus aria-hidden />
            Add domain
          </Button>
        )
      }
    >
      {domains !== undefined && domains.length > 0 ? (
        <div className="flex flex-col gap-4">
          {domains.map((domain) => (
            <DomainCard key={domain.name} domain={domain} may={may} onRemove={() => setRemoved(domain)} />
          ))}
        </div>
      ) : (
        <Panel flush>
          <ListState
            list={list}
            items={domains}
            rows={3}
            empty={
              <EmptyState
                icon={Globe}
                title="No domain yet"
                command={`./skyrun domains add www.example.com --service NAME --project ${project}`}
              >
                Services answer at their own hosts. Add one of yours, such as www.example.com, and prove it by a DNS
                record.
              </EmptyState>
            }
          />
        </Panel>
      )}
      {adding && <AddDomain project={project} onClose={() => setAdding(false)} />}
      {removed !== null && <RemoveDomain domain={removed} onClose={() => setRemoved(null)} />}
    </Page>
  );
}
