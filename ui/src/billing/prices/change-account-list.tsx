import { type AccountPriceList, OPERATIONS } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { fieldMessage } from '../../api/problems.ts';
import { keys } from '../../api/queries.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { dateTimeText } from '../../format/time.ts';
import { billingKeys, priceListsQuery } from '../queries.ts';

/** Another list, by its name or by a region, from a time on. */
export function ChangeAccountList({ list, onClose }: { list: AccountPriceList; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const lists = useQuery(priceListsQuery(api));
  const [choice, setChoice] = useState('');
  const [from, setFrom] = useState('');
  const titles = new Map((lists.data?.items ?? []).map(({ name, title }) => [name, title]));
  const { busy, problem, submit } = useAction(async () => {
    const [kind, name = ''] = choice.split(':');
    const changed = await api.call(OPERATIONS.changeAccountPriceList, {
      params: { project: list.project },
      body: {
        ...(kind === 'region' ? { region: name } : { priceList: name }),
        // The field is in the browser's own time.
        ...(from === '' ? {} : { effectiveFrom: new Date(from).toISOString() }),
      },
    });
    const last = changed.changes[0];
    toast(
      last === undefined
        ? `${list.project} stays with ${changed.title}.`
        : `${list.project} has ${titles.get(last.priceList) ?? last.priceList} from ${dateTimeText(last.effectiveFrom)}.`,
    );
    await Promise.all([
      queries.invalidateQueries({ queryKey: billingKeys.accountPriceList(list.project) }),
      queries.invalidateQueries({ queryKey: keys.costs(list.project) }),
    ]);
    onClose();
  });
  const choiceError = fieldMessage(problem, '/priceList') ?? fieldMessage(problem, '/region');
  const fromError = fieldMessage(problem, '/effectiveFrom');
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Price list of ${list.project}`}
      description={`Now: ${list.title}. Usage from the time on is priced by the other list; what happened before keeps its price.`}
    >
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <SelectField
          label="Price list"
          value={choice}
          error={choiceError}
          onChange={(event) => setChoice(event.target.value)}
        >
          <option value="" disabled>
            Choose a list or a region
          </option>
          <optgroup label="Lists">
            {[...titles].map(([name, title]) => (
              <option key={name} value={`list:${name}`}>
                {title}
              </option>
            ))}
          </optgroup>
          <optgroup label="Regions">
            {list.regions.map(({ region, priceList }) => (
              <option key={region} value={`region:${region}`}>
                {region} ({titles.get(priceList) ?? priceList})
              </option>
            ))}
          </optgroup>
        </SelectField>
        <TextField
          label="From"
          type="datetime-local"
          value={from}
          error={fromError}
          hint={`As soon as can be if empty: ${dateTimeText(list.earliestChange)}. Planned changes after it are taken back.`}
          onChange={(event) => setFrom(event.target.value)}
        />
        {problem !== null && choiceError === undefined && fromError === undefined && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="solid" busy={busy} disabled={choice === ''}>
            Change price list
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
