import { OPERATIONS, type PublicPriceList } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { Upload } from 'lucide-react';
import { type ChangeEvent, useId, useRef, useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { makeIdempotencyKey } from '../../api/idempotency.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { inputStyle } from '../../components/input-style.ts';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { billingKeys } from '../queries.ts';
import { PriceDifference } from './price-difference.tsx';
import { lineOf } from './yaml-line.ts';

interface NewVersionProps {
  /** YAML to start from. */
  readonly start: string;
  /** The version in force of the list of that name, or null. */
  readonly currentOf: (name: string) => PublicPriceList | null;
  readonly onAdded: (id: string) => void;
  readonly onClose: () => void;
}

interface Checked {
  readonly errors: readonly { readonly field: string; readonly message: string }[];
  readonly list: PublicPriceList | null;
}

/** A version is written or chosen as a file, checked, laid beside the one in force, and only then added. */
export function NewVersion({ start, currentOf, onAdded, onClose }: NewVersionProps) {
  const api = useApi();
  const queries = useQueryClient();
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const [yaml, setYaml] = useState(start);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [key, setKey] = useState('');

  function change(text: string) {
    setYaml(text);
    setChecked(null);
    check.clear();
    add.clear();
  }

  async function choose(event: ChangeEvent<HTMLInputElement>) {
    const chosen = event.target.files?.[0];
    event.target.value = '';
    if (chosen !== undefined) change(await chosen.text());
  }

  const check = useAction(async () => {
    const { errors, priceList } = await api.call(OPERATIONS.validatePriceList, { body: { yaml } });
    setChecked({ errors, list: priceList });
    setKey(makeIdempotencyKey());
  });
  const add = useAction(async () => {
    const list = await api.call(OPERATIONS.createPriceListVersion, {
      body: { yaml },
      headers: { 'idempotency-key': key },
    });
    toast(`${list.id} was added.`);
    await queries.invalidateQueries({ queryKey: billingKeys.priceLists });
    onAdded(list.id);
  });
  const problem = check.problem ?? add.problem;

  const errors = checked?.errors ?? [];
  const current = checked?.list ? currentOf(checked.list.name) : null;
  return (
    <>
      <Panel
        title="New version"
        note="A version holds from its effectiveFrom on and never changes once it is added."
        actions={
          <>
            <input
              ref={file}
              type="file"
              accept=".yaml,.yml"
              aria-label="Price list file"
              className="sr-only"
              tabIndex={-1}
              onChange={(event) => void choose(event)}
            />
            <Button size="sm" onClick={() => file.current?.click()}>
              <Upload aria-hidden />
              Choose a file
            </Button>
          </>
        }
      >
        <div className="flex flex-col gap-4">
          <div>
            <label htmlFor={id} className="text-[0.8125rem] font-medium">
              YAML of the version
            </label>
            <textarea
              id={id}
              spellCheck={false}
              rows={22}
              className={`${inputStyle} mt-1.5 h-auto py-2 font-mono text-xs leading-5 whitespace-pre`}
              value={yaml}
              {...(errors.length > 0 ? { 'aria-invalid': true, 'aria-describedby': `${id}-errors` } : {})}
              onChange={(event) => change(event.target.value)}
            />
            {errors.length > 0 && (
              <ul id={`${id}-errors`} role="alert" className="mt-2 flex flex-col gap-1 text-[0.8125rem] text-bad-ink">
                {errors.map(({ field, message }) => (
                  <li key={`${field} ${message}`}>
                    <code className="font-mono text-xs font-semibold">{field}</code>
                    {lineOf(yaml, field) !== null && <span> (line {lineOf(yaml, field)})</span>}: {message}
                  </li>
                ))}
              </ul>
            )}
          </div>
          {problem !== null && <ProblemNotice error={problem} />}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            {checked?.list === null || checked === null ? (
              <Button tone="solid" busy={check.busy} onClick={check.run}>
                Check
              </Button>
            ) : (
              <Button tone="solid" busy={add.busy} onClick={add.run}>
                Add version
              </Button>
            )}
          </div>
        </div>
      </Panel>
      {checked?.list && current !== null && <PriceDifference current={current} other={checked.list} />}
      {checked?.list && current === null && (
        <p role="status" className="rounded-xl bg-ok-soft p-4 text-ok-ink">
          {checked.list.id} is the first version of its list.
        </p>
      )}
    </>
  );
}
