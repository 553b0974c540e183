import type { Domain } from '@skyrun/contracts';
import { Pill, type Tone } from '../components/pill.tsx';

interface Shown {
  readonly tone: Tone;
  readonly label: string;
  readonly moving?: boolean;
}

function shownOf({ state, reason }: Domain): Shown {
  if (state === 'lost') return { tone: 'bad', label: 'Lost' };
  if (state === 'verified')
    return reason === 'proof_gone' ? { tone: 'warn', label: 'Record gone' } : { tone: 'ok', label: 'Verified' };
  if (reason === 'taken') return { tone: 'bad', label: 'Taken' };
  return reason === 'wrong_record'
    ? { tone: 'warn', label: 'Wrong record' }
    : { tone: 'accent', label: 'Waiting for DNS', moving: true };
}

export function DomainState({ domain }: { domain: Domain }) {
  const { tone, label, moving = false } = shownOf(domain);
  return (
    <Pill tone={tone} moving={moving}>
      {label}
    </Pill>
  );
}
