import type { Problem } from '@skyrun/contracts';
import { Plus, Trash2 } from 'lucide-react';
import { fieldMessage } from '../../api/problems.ts';
import { Button } from '../../components/button.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { makeRowKey } from '../../deploy/row-key.ts';
import { type LimitRow, newLimit } from './policy-values.ts';

const PER: readonly { readonly value: LimitRow['per']; readonly label: string }[] = [
  { value: 'address', label: 'client address' },
  { value: 'caller', label: 'caller’s credentials' },
  { value: 'service', label: 'service' },
  { value: 'project', label: 'project' },
];

interface LimitRowsProps {
  readonly limits: readonly LimitRow[];
  readonly problem: Problem | null;
  readonly onChange: (limits: readonly LimitRow[]) => void;
}

/** The rate limits of a service: each may let through so many requests in a window. */
export function LimitRows({ limits, problem, onChange }: LimitRowsProps) {
  const change = (key: string, part: Partial<LimitRow>) =>
    onChange(limits.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <div className="flex flex-col gap-3">
      {limits.map((row, index) => {
        const text = (field: 'name' | 'requests' | 'windowSeconds' | 'pathPrefix', label: string) => ({
          label,
          value: row[field],
          spellCheck: false,
          error: fieldMessage(problem, `/spec/policy/rateLimits/${index}/${field}`),
          onChange: (event: { target: { value: string } }) => change(row.key, { [field]: event.target.value }),
        });
        return (
          <div key={row.key} className="flex items-start gap-2 rounded-xl border border-line p-3">
            <div className="grid min-w-0 flex-1 gap-3 sm:grid-cols-5">
              <TextField {...text('name', 'Name')} />
              <TextField {...text('requests', 'Requests')} inputMode="numeric" />
              <TextField {...text('windowSeconds', 'in seconds')} inputMode="numeric" />
              <SelectField
                label="for each"
                value={row.per}
                onChange={({ target }) =>
                  change(row.key, { per: PER.find(({ value }) => value === target.value)?.value ?? 'address' })
                }
              >
                {PER.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </SelectField>
              <TextField {...text('pathPrefix', 'Below path')} placeholder="every path" />
            </div>
            <Button
              tone="ghost"
              size="icon"
              className="mt-6 size-9"
              aria-label={`Remove limit ${row.name}`}
              onClick={() => onChange(limits.filter(({ key }) => key !== row.key))}
            >
              <Trash2 aria-hidden />
            </Button>
          </div>
        );
      })}
      <Button
        size="sm"
        className="self-start"
        disabled={limits.length >= 20}
        onClick={() => onChange([...limits, newLimit(makeRowKey(), limits)])}
      >
        <Plus aria-hidden />
        Add rate limit
      </Button>
    </div>
  );
}
