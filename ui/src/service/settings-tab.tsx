import { OPERATIONS, type Service } from '@skyrun/contracts';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { imagesQuery, keys, serviceQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/field.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Follow } from '../deploy/follow.tsx';
import { specOf, valuesOf } from '../deploy/form-values.ts';
import { ServiceForm } from '../deploy/service-form.tsx';
import { useProjectName, useServiceName } from '../shell/place.ts';
import { baseOfEdit } from './base-of-edit.ts';
import { PolicyPanel } from './policy/policy-panel.tsx';

function Edit({ service }: { service: Service }) {
  const { project, name } = service;
  const api = useApi();
  const queries = useQueryClient();
  const images = useInfiniteQuery(imagesQuery(api, project));
  const listId = useId();
  const [base, setBase] = useState(service);
  const [values, setValues] = useState(() => valuesOf(name, service.spec.template));
  const [following, setFollowing] = useState<number | null>(null);

  const { busy, problem, submit, clear } = useAction(async () => {
    const from = baseOfEdit(base, service, 'template');
    const spec = { ...from.spec, template: specOf(values, from.spec.template).template };
    const changed = await api.call(OPERATIONS.replaceService, {
      params: { project, service: name },
      body: { spec },
      headers: { 'if-match': `"${from.generation}"` },
    });
    queries.setQueryData(keys.service(project, name), changed);
    if (changed.generation === from.generation) toast('Nothing changed, so no revision was made.');
    else setFollowing(changed.generation);
    setBase(changed);
  });

  function startOver() {
    setBase(service);
    setValues(valuesOf(name, service.spec.template));
    clear();
  }

  const changedElsewhere = problem?.code === 'resource.precondition_failed';
  return (
    <>
      {following !== null && <Follow project={project} name={name} generation={following} key={following} />}
      <Panel title="Configuration" note="Saving makes a new revision; traffic moves to it once it answers.">
        <form onSubmit={submit} className="flex flex-col gap-6">
          <ServiceForm
            values={values}
            onChange={setValues}
            problem={problem}
            lead={
              <>
                <TextField
                  label="Image"
                  hint="An image of this project: name, name:tag or digest."
                  value={values.image}
                  list={listId}
                  error={fieldMessage(problem, '/spec/template/image')}
                  spellCheck={false}
                  onChange={(event) => setValues({ ...values, image: event.target.value })}
                />
                <datalist id={listId}>
                  {images.data?.pages.flatMap((page) =>
                    page.items.map((image) => <option key={image.id} value={`${image.name}:${image.tag}`} />),
                  )}
                </datalist>
              </>
            }
          />
          {problem !== null && <ProblemNotice error={problem} />}
          <div className="flex justify-end gap-2">
            {changedElsewhere && <Button onClick={startOver}>Load the newer configuration</Button>}
            <Button type="submit" tone="solid" busy={busy}>
              Save new revision
            </Button>
          </div>
        </form>
      </Panel>
    </>
  );
}

function Remove({ project, name }: { project: string; name: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');

  const { busy, problem, submit } = useAction(async () => {
    await api.call(OPERATIONS.deleteService, { params: { project, service: name } });
    toast(`${name} was deleted; its instances are being stopped.`);
    await navigate({ to: '/projects/$project/services', params: { project } });
    queries.removeQueries({ queryKey: keys.service(project, name) });
    await queries.invalidateQueries({ queryKey: keys.services(project) });
  });

  return (
    <Panel title="Delete this service" className="border-bad/40">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <p className="max-w-xl text-ink-2">
          Its instances stop and its URL answers no more. Images, events and what it cost so far stay.
        </p>
        <Button tone="danger" onClick={() => setOpen(true)}>
          Delete service
        </Button>
      </div>
      <Dialog
        open={open}
        onOpenChange={(next) => {
          setOpen(next);
          setTyped('');
        }}
        title={`Delete ${name}?`}
        description={
          <>
            This cannot be undone. Type <strong className="text-ink">{name}</strong> to confirm.
          </>
        }
      >
        <form onSubmit={submit} className="flex flex-col gap-4">
          <TextField
            label="Service name"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            autoFocus
          />
          {problem !== null && <ProblemNotice error={problem} />}
          <Button type="submit" tone="danger" className="self-end" busy={busy} disabled={typed !== name}>
            Delete for good
          </Button>
        </form>
      </Dialog>
    </Panel>
  );
}

export function SettingsTab() {
  const project = useProjectName();
  const name = useServiceName();
  const { data: service } = useQuery(serviceQuery(useApi(), project, name));
  if (service === undefined) return null;
  return (
    <div className="flex max-w-3xl flex-col gap-6">
      <Edit key={service.id} service={service} />
      <PolicyPanel key={`policy ${service.id}`} service={service} />
      <Remove project={project} name={name} />
    </div>
  );
}
