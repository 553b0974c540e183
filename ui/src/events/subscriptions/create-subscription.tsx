import { OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { fieldMessage } from '../../api/problems.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { eventKeys } from '../queries.ts';

const EMPTY = { name: '', destination: '', types: '', subject: '', attributes: '', sql: '', mode: 'binary' };

/** `source=/skyrun/registry, key=value` */
function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(',')
      .map((pair) => pair.split('=').map((part) => part.trim()))
      .flatMap(([name = '', value]) => (name === '' || value === undefined ? [] : [[name, value]])),
  );
}

const listOf = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');

/** `onMade` gets the secret, which is shown this once. */
export function CreateSubscription(props: { project: string; onClose: () => void; onMade: (secret: string) => void }) {
  const { project, onClose, onMade } = props;
  const api = useApi();
  const queries = useQueryClient();
  const [values, setValues] = useState(EMPTY);
  const set = (name: keyof typeof EMPTY) => (event: { target: { value: string } }) =>
    setValues((known) => ({ ...known, [name]: event.target.value }));

  const { busy, problem, submit } = useAction(async () => {
    const { secret } = await api.call(OPERATIONS.createSubscription, {
      params: { project },
      body: {
        name: values.name.trim(),
        destination: values.destination.trim(),
        mode: values.mode === 'structured' ? 'structured' : 'binary',
        filter: {
          types: listOf(values.types),
          subject: values.subject.trim(),
          attributes: attributesOf(values.attributes),
          sql: values.sql.trim(),
        },
      },
    });
    await queries.invalidateQueries({ queryKey: eventKeys.subscriptions(project) });
    onMade(secret);
  });

  const at = (field: string) => fieldMessage(problem, field);
  const placed = ['/name', '/destination', '/filter/types/0', '/filter/subject', '/filter/sql'].some(
    (field) => at(field) !== undefined,
  );
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="New subscription"
      description="Events from now on are sent to a URL, signed, until it takes them."
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Name" required value={values.name} error={at('/name')} onChange={set('name')} autoFocus />
        <TextField
          label="Destination"
          type="url"
          required
          placeholder="https://example.com/events"
          hint="A public address that answers 2xx when it has the event."
          value={values.destination}
          error={at('/destination')}
          onChange={set('destination')}
        />
        <TextField
          label="Event types"
          placeholder="skyrun.instance.*, team.shop.*"
          hint="Types or patterns; empty takes every type."
          value={values.types}
          error={at('/filter/types/0')}
          onChange={set('types')}
        />
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <TextField
            label="Subject begins with"
            placeholder="services/demo/"
            value={values.subject}
            error={at('/filter/subject')}
            onChange={set('subject')}
          />
          <TextField
            label="Attributes"
            placeholder="source=/skyrun/registry"
            hint="name=value, with commas between"
            value={values.attributes}
            onChange={set('attributes')}
          />
        </div>
        <TextField
          label="Expression"
          placeholder="subject LIKE '%/checkout' AND NOT (type IN ('a', 'b'))"
          hint="CloudEvents SQL over the event's attributes; all fields above must hold, too."
          value={values.sql}
          error={at('/filter/sql')}
          onChange={set('sql')}
          autoComplete="off"
          spellCheck={false}
        />
        <SelectField label="Mode" value={values.mode} onChange={set('mode')}>
          <option value="binary">Binary: data in the body, attributes in headers</option>
          <option value="structured">Structured: the whole CloudEvent in the body</option>
        </SelectField>
        {problem !== null && !placed && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="solid" busy={busy}>
            Create subscription
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
