import { type Image, OPERATIONS, type Service } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { Rocket } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import { makeIdempotencyKey } from '../api/idempotency.ts';
import { fieldMessage } from '../api/problems.ts';
import { servicesQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { TextField } from '../components/field.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { bytesText } from '../format/quantity.ts';
import { specOf, suggestName, templateForImage, valuesOf } from './form-values.ts';
import { ServiceForm } from './service-form.tsx';

interface ConfigureProps {
  readonly project: string;
  readonly image: Image;
  readonly onDeployed: (service: Service) => void;
  readonly onBack: () => void;
}

export function Configure(props: ConfigureProps) {
  const { data: services, error } = useQuery(servicesQuery(useApi(), props.project));
  if (services === undefined && error === null) return null;
  return <ConfigureForm {...props} taken={services?.map(({ name }) => name) ?? []} />;
}

function ConfigureForm({ project, image, onDeployed, onBack, taken }: ConfigureProps & { taken: readonly string[] }) {
  const api = useApi();
  const [template] = useState(() => templateForImage(image));
  const [values, setValues] = useState(() => valuesOf(suggestName(image.name, taken), template));
  // Another input is another intention; the same input sent twice is one.
  const [key, setKey] = useState(makeIdempotencyKey);

  const { busy, problem, submit } = useAction(async () => {
    onDeployed(
      await api.call(OPERATIONS.createService, {
        params: { project },
        body: { name: values.name, spec: specOf(values, template) },
        headers: { 'idempotency-key': key },
      }),
    );
  });

  const taking =
    problem?.code === 'resource.already_exists' ? 'There is a service of this name; choose another.' : undefined;
  return (
    <form onSubmit={submit} className="flex flex-col gap-6 rounded-2xl border border-line bg-surface p-5 shadow-panel">
      <div className="flex flex-wrap items-center justify-between gap-3 rounded-xl bg-sunken px-4 py-3">
        <div className="min-w-0">
          <p className="truncate font-medium">
            {image.name}:{image.tag}
          </p>
          <p className="text-xs text-ink-3">
            {bytesText(image.sizeBytes)} · {image.layers} {image.layers === 1 ? 'layer' : 'layers'} ·{' '}
            {image.platform.os}/{image.platform.architecture} ·{' '}
            <code className="font-mono">{image.digest.slice(7, 19)}</code>
          </p>
        </div>
        <Button size="sm" onClick={onBack}>
          Another image
        </Button>
      </div>
      <ServiceForm
        values={values}
        onChange={(next) => {
          setValues(next);
          setKey(makeIdempotencyKey());
        }}
        problem={problem}
        lead={
          <TextField
            label="Service name"
            value={values.name}
            hint={`Its URL starts with ${values.name === '' ? '…' : values.name}.${project}.`}
            error={fieldMessage(problem, '/name') ?? taking}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setValues({ ...values, name: event.target.value });
              setKey(makeIdempotencyKey());
            }}
          />
        }
      />
      {problem !== null && taking === undefined && <ProblemNotice error={problem} />}
      <div className="flex justify-end">
        <Button type="submit" tone="solid" size="lg" busy={busy}>
          <Rocket aria-hidden />
          Deploy
        </Button>
      </div>
    </form>
  );
}
