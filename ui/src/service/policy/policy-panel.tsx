import { OPERATIONS, type Service } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { keys } from '../../api/queries.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { baseOfEdit } from '../base-of-edit.ts';
import { PolicyForm } from './policy-form.tsx';
import { policyOf, policyValues } from './policy-values.ts';

/** Changes what the gateway asks of a service's requests. */
export function PolicyPanel({ service }: { service: Service }) {
  const { project, name } = service;
  const api = useApi();
  const queries = useQueryClient();
  const [base, setBase] = useState(service);
  const [values, setValues] = useState(() => policyValues(service.spec.policy));

  const { busy, problem, submit, clear } = useAction(async () => {
    const from = baseOfEdit(base, service, 'policy');
    const changed = await api.call(OPERATIONS.replaceService, {
      params: { project, service: name },
      body: { spec: { ...from.spec, policy: policyOf(values, from.spec.policy) } },
      headers: { 'if-match': `"${from.generation}"` },
    });
    queries.setQueryData(keys.service(project, name), changed);
    toast(changed.generation === from.generation ? 'Nothing changed.' : 'The gateway heeds it from now on.');
    setBase(changed);
  });

  function startOver() {
    setBase(service);
    setValues(policyValues(service.spec.policy));
    clear();
  }

  return (
    <Panel
      title="Access and limits"
      note="What the gateway asks of requests. In force within a second; makes no revision."
    >
      <form onSubmit={submit} className="flex flex-col gap-6">
        <PolicyForm values={values} problem={problem} onChange={setValues} />
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          {problem?.code === 'resource.precondition_failed' && (
            <Button onClick={startOver}>Load the newer configuration</Button>
          )}
          <Button type="submit" tone="solid" busy={busy}>
            Save access and limits
          </Button>
        </div>
      </form>
    </Panel>
  );
}
