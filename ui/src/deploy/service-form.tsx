import type { Problem } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useApi } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { secretsQuery } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { SelectField, TextField } from '../components/field.tsx';
import { FieldGroup } from '../components/field-group.tsx';
import { inputStyle } from '../components/input-style.ts';
import { Select } from '../components/select.tsx';
import { useProjectName } from '../shell/place.ts';
import type { FormValues, VariableRow } from './form-values.ts';
import { makeRowKey } from './row-key.ts';

interface ServiceFormProps {
  readonly values: FormValues;
  readonly onChange: (values: FormValues) => void;
  readonly problem: Problem | null;
  /** Shown first: the name of a new service, or the image of a known one. */
  readonly lead: ReactNode;
}

const CPU = ['0.1', '0.25', '0.5', '1', '2', '4', '8'];
const MEMORY = ['64', '128', '256', '512', '1024', '2048', '4096', '8192'];

const including = (choices: readonly string[], chosen: string): string[] =>
  choices.includes(chosen) ? [...choices] : [...choices, chosen].sort((a, b) => Number(a) - Number(b));

const memoryText = (mib: string): string => (Number(mib) >= 1024 ? `${Number(mib) / 1024} GiB` : `${mib} MiB`);

function Variables({ values, onChange, problem }: Pick<ServiceFormProps, 'values' | 'onChange' | 'problem'>) {
  const { data: known = [] } = useQuery(secretsQuery(useApi(), useProjectName()));
  // One that a template names is offered even where the list has not come.
  const secrets = [...new Set([...known.map(({ name }) => name), ...values.env.flatMap(({ secret }) => secret ?? [])])];
  const change = (key: string, part: Partial<VariableRow>) =>
    onChange({ ...values, env: values.env.map((row) => (row.key === key ? { ...row, ...part } : row)) });
  return (
    <FieldGroup title="Environment">
      {values.env.map((row, index) => {
        const number = index + 1;
        const error =
          fieldMessage(problem, `/spec/template/env/${index}/name`) ??
          fieldMessage(problem, `/spec/template/env/${index}/value`) ??
          fieldMessage(problem, `/spec/template/env/${index}/valueFrom/secretKeyRef/key`) ??
          fieldMessage(problem, `/spec/template/env/${index}/valueFrom/secretKeyRef/name`);
        return (
          <div key={row.key} className="flex flex-col gap-1">
            <div className="flex gap-2">
              <input
                aria-label={`Variable ${number} name`}
                aria-invalid={error !== undefined || undefined}
                className={`${inputStyle} min-w-0 flex-2 font-mono text-xs`}
                placeholder="LOG_LEVEL"
                spellCheck={false}
                value={row.name}
                onChange={(event) => change(row.key, { name: event.target.value })}
              />
              {secrets.length > 0 && (
                <Select
                  aria-label={`Variable ${number} comes from`}
                  className="min-w-0 flex-2"
                  value={row.secret ?? ''}
                  onChange={({ target }) =>
                    change(row.key, { secret: target.value === '' ? undefined : target.value, value: '' })
                  }
                >
                  <option value="">a value</option>
                  {secrets.map((name) => (
                    <option key={name} value={name}>
                      secret {name}
                    </option>
                  ))}
                </Select>
              )}
              <input
                aria-label={`Variable ${number} ${row.secret === undefined ? 'value' : 'version'}`}
                className={`${inputStyle} min-w-0 flex-3 font-mono text-xs`}
                placeholder={row.secret === undefined ? 'debug' : 'latest'}
                spellCheck={false}
                value={row.value}
                onChange={(event) => change(row.key, { value: event.target.value })}
              />
              <Button
                tone="ghost"
                size="icon"
                className="size-9"
                aria-label={`Remove variable ${number}`}
                onClick={() => onChange({ ...values, env: values.env.filter(({ key }) => key !== row.key) })}
              >
                <Trash2 aria-hidden />
              </Button>
            </div>
            {error !== undefined && <p className="text-xs font-medium text-bad-ink">{error}</p>}
          </div>
        );
      })}
      <Button
        size="sm"
        className="self-start"
        onClick={() => onChange({ ...values, env: [...values.env, { key: makeRowKey(), name: '', value: '' }] })}
      >
        <Plus aria-hidden />
        Add variable
      </Button>
    </FieldGroup>
  );
}

/** The fields of a service's template that people change; used to create one and to change one. */
export function ServiceForm({ values, onChange, problem, lead }: ServiceFormProps) {
  const at = (pointer: string) => fieldMessage(problem, `/spec/template${pointer}`);
  const number = (key: 'port' | 'minScale' | 'maxScale' | 'concurrency' | 'timeoutSeconds') => ({
    inputMode: 'numeric' as const,
    value: values[key],
    onChange: (event: { target: { value: string } }) => onChange({ ...values, [key]: event.target.value }),
  });
  return (
    <div className="flex flex-col gap-7">
      <FieldGroup title="Service">
        <div className="grid gap-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
          {lead}
          <TextField label="Port" hint="Where the container listens." error={at('/port')} {...number('port')} />
        </div>
      </FieldGroup>
      <FieldGroup title="Scaling">
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField
            label="Minimum instances"
            hint={values.minScale === '0' ? '0 scales to zero when idle.' : 'These run, and cost, at all times.'}
            error={at('/scaling/minScale')}
            {...number('minScale')}
          />
          <TextField label="Maximum instances" error={at('/scaling/maxScale')} {...number('maxScale')} />
          <TextField
            label="Concurrency"
            hint="Requests at once per instance; 0 is no limit."
            error={at('/containerConcurrency')}
            {...number('concurrency')}
          />
        </div>
      </FieldGroup>
      <FieldGroup title="Resources">
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
          <SelectField
            label="CPU"
            value={values.cpu}
            error={at('/resources/cpuMilli')}
            onChange={(event) => onChange({ ...values, cpu: event.target.value })}
          >
            {including(CPU, values.cpu).map((cpu) => (
              <option key={cpu} value={cpu}>
                {cpu} vCPU
              </option>
            ))}
          </SelectField>
          <SelectField
            label="Memory"
            value={values.memoryMib}
            error={at('/resources/memoryMib')}
            onChange={(event) => onChange({ ...values, memoryMib: event.target.value })}
          >
            {including(MEMORY, values.memoryMib).map((mib) => (
              <option key={mib} value={mib}>
                {memoryText(mib)}
              </option>
            ))}
          </SelectField>
          <TextField label="Request timeout (s)" error={at('/timeoutSeconds')} {...number('timeoutSeconds')} />
          <SelectField
            label="Billing"
            value={values.billingMode}
            error={at('/billingMode')}
            onChange={(event) =>
              onChange({ ...values, billingMode: event.target.value === 'instance' ? 'instance' : 'request' })
            }
          >
            <option value="request">While requests run</option>
            <option value="instance">While instances run</option>
          </SelectField>
        </div>
      </FieldGroup>
      <Variables values={values} onChange={onChange} problem={problem} />
    </div>
  );
}
