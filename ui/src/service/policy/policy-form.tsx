import type { Problem } from '@skyrun/contracts';
import { fieldMessage } from '../../api/problems.ts';
import { CheckField } from '../../components/check-field.tsx';
import { Field, SelectField, TextField } from '../../components/field.tsx';
import { FieldGroup } from '../../components/field-group.tsx';
import { inputStyle } from '../../components/input-style.ts';
import { LimitRows } from './limit-rows.tsx';
import type { PolicyValues } from './policy-values.ts';

interface PolicyFormProps {
  readonly values: PolicyValues;
  readonly problem: Problem | null;
  readonly onChange: (values: PolicyValues) => void;
}

/** The first entry of a list that was refused, by its place. */
function listMessage(problem: Problem | null, pointer: string): string | undefined {
  const found = problem?.errors.find(({ field }) => field === pointer || field.startsWith(`${pointer}/`));
  if (found === undefined) return undefined;
  const index = Number(found.field.slice(pointer.length + 1));
  return Number.isInteger(index) && found.field !== pointer ? `entry ${index + 1}: ${found.message}` : found.message;
}

type TextName = Exclude<
  {
    [Name in keyof PolicyValues]: PolicyValues[Name] extends string ? Name : never;
  }[keyof PolicyValues],
  'invoker'
>;

/** What the gateway asks of requests before an instance sees them. */
export function PolicyForm({ values, problem, onChange }: PolicyFormProps) {
  const at = (pointer: string) => fieldMessage(problem, `/spec/policy${pointer}`);
  const text = (name: TextName) => ({
    value: values[name],
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => onChange({ ...values, [name]: event.target.value }),
  });
  const milliseconds = (name: TextName) => ({ inputMode: 'numeric' as const, placeholder: 'none', ...text(name) });
  const list = (name: TextName, label: string, hint: string, pointer: string) => (
    <Field label={label} hint={hint} error={listMessage(problem, `/spec/policy${pointer}`)}>
      {(field) => (
        <textarea rows={3} className={`${inputStyle} h-auto py-2 font-mono text-xs`} {...text(name)} {...field} />
      )}
    </Field>
  );
  return (
    <div className="flex flex-col gap-7">
      <FieldGroup title="Who may call">
        <SelectField
          label="Callers"
          hint={
            values.invoker === 'public'
              ? 'Everybody who reaches the URL.'
              : 'Members of this project with their access token, and holders of one of its API keys.'
          }
          className="sm:max-w-64"
          value={values.invoker}
          onChange={({ target }) => onChange({ ...values, invoker: target.value === 'members' ? 'members' : 'public' })}
        >
          <option value="public">Everybody</option>
          <option value="members">Members of this project</option>
        </SelectField>
        <div className="grid gap-4 sm:grid-cols-2">
          {list('allow', 'Only from', 'Addresses or networks, one per line. Empty: from everywhere.', '/allow')}
          {list('deny', 'Never from', 'Refused even where the other list names them.', '/deny')}
        </div>
      </FieldGroup>
      <FieldGroup title="Rate limits">
        <LimitRows limits={values.limits} problem={problem} onChange={(limits) => onChange({ ...values, limits })} />
      </FieldGroup>
      <FieldGroup title="Bounds of a request">
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField
            label="Largest body, bytes"
            hint="Larger ones get 413."
            error={at('/maxRequestBytes')}
            {...milliseconds('maxRequestBytes')}
          />
          <TextField
            label="First byte within, ms"
            hint="Then 504."
            error={at('/firstByteTimeoutMs')}
            {...milliseconds('firstByteTimeoutMs')}
          />
          <TextField
            label="Between pieces, ms"
            hint="Longest silence of a response."
            error={at('/idleTimeoutMs')}
            {...milliseconds('idleTimeoutMs')}
          />
        </div>
      </FieldGroup>
      <FieldGroup title="Circuit breaker">
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField
            label="Failures, %"
            hint="Of the last ten seconds; then an instance gets no more."
            error={at('/breaker/failureRatio')}
            {...milliseconds('failurePercent')}
          />
          <TextField
            label="Slower counts as failed, ms"
            error={at('/breaker/slowerThanMs')}
            {...milliseconds('slowerThanMs')}
          />
          <TextField
            label="Slow start, ms"
            hint="Over which a new instance gets its full share."
            error={at('/slowStartMs')}
            {...milliseconds('slowStartMs')}
          />
        </div>
      </FieldGroup>
      <FieldGroup title="Connections to instances">
        <CheckField
          label="Reads share connections"
          hint="You declare that GET and HEAD change nothing: several go out on one HTTP/1.1 connection, and one that was not answered may be sent twice. Not for slow answers or streams."
          checked={values.pipelining}
          onChange={(pipelining) => onChange({ ...values, pipelining })}
        />
        {values.pipelining && (
          <div className="grid gap-4 sm:grid-cols-3">
            <TextField
              label="Requests on a connection"
              hint="2 to 64."
              error={at('/pipelining/depth')}
              {...milliseconds('pipelineDepth')}
            />
            <TextField
              label="Held up at most, ms"
              hint="By the response before; then another way is taken."
              error={at('/pipelining/heldUpMs')}
              {...milliseconds('heldUpMs')}
            />
          </div>
        )}
      </FieldGroup>
      <FieldGroup title="Browsers of other origins (CORS)">
        {list(
          'origins',
          'Origins',
          'Such as https://shop.example, one per line; * is every one. Empty: no CORS.',
          '/cors/origins',
        )}
        {values.origins.trim() !== '' && (
          <CheckField
            label="With credentials"
            hint="Cookies and Authorization are sent along. Then origins must be named; * is refused."
            checked={values.credentials}
            onChange={(credentials) => onChange({ ...values, credentials })}
          />
        )}
      </FieldGroup>
      <FieldGroup title="What callers see">
        <CheckField
          label="Maintenance"
          hint="Every request is answered with 503 and your message. Instances are left alone."
          checked={values.maintenance}
          onChange={(maintenance) => onChange({ ...values, maintenance })}
        />
        {values.maintenance && (
          <TextField label="Message" error={at('/maintenance/message')} {...text('maintenanceMessage')} spellCheck />
        )}
        <CheckField
          label="Waiting page"
          hint="A browser that comes while no instance is ready sees a page that reloads itself."
          checked={values.waitingPage}
          onChange={(waitingPage) => onChange({ ...values, waitingPage })}
        />
        <CheckField
          label="Cost of a request"
          hint="A caller who sends Skyrun-Cost: 1 is told what the request cost, in the header of the same name."
          checked={values.showCost}
          onChange={(showCost) => onChange({ ...values, showCost })}
        />
      </FieldGroup>
    </div>
  );
}
