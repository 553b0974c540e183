import { parseMoney, type RightSizing } from '@skyrun/contracts';
import { Money } from '../../components/money.tsx';
import { Pill, type Tone } from '../../components/pill.tsx';
import { toCents } from '../../format/money.ts';
import { figure } from '../../format/quantity.ts';

const VERDICTS: Readonly<Record<RightSizing['verdict'], { tone: Tone; says: string }>> = {
  fits: { tone: 'ok', says: 'Fits' },
  shrink: { tone: 'warn', says: 'Make it smaller' },
  grow: { tone: 'bad', says: 'Give it more' },
  mixed: { tone: 'warn', says: 'Change its shape' },
  too_little: { tone: 'muted', says: 'Too little measured' },
};

/** One service: what it may use, what it used, what would do. */
export function RightSizingCard({ sizing, currency }: { sizing: RightSizing; currency: string }) {
  const { service, cpuMilli, memoryMib, verdict, reason, amount, recommendedAmount, saving } = sizing;
  const { tone, says } = VERDICTS[verdict];
  const changes = verdict !== 'fits' && verdict !== 'too_little';
  const less = parseMoney(saving) >= 0n;
  return (
    <section aria-label={service} className="border-b border-line px-4 py-4 last:border-0">
      <div className="flex flex-wrap items-center gap-3">
        <h3 className="font-semibold">{service}</h3>
        <Pill tone={tone}>{says}</Pill>
        {changes && (
          <p className="ml-auto text-ink-2">
            <Money amount={toCents(amount)} currency={currency} /> →{' '}
            <Money amount={toCents(recommendedAmount)} currency={currency} />,{' '}
            <span className="font-semibold text-ink">
              <Money amount={toCents(saving.replace('-', ''))} currency={currency} /> {less ? 'less' : 'more'}
            </span>
          </p>
        )}
      </div>
      <div className="mt-3 grid gap-4 sm:grid-cols-2">
        <Use name="CPU" use={cpuMilli} say={cpuText} />
        <Use name="Memory" use={memoryMib} say={(mib) => `${figure(mib)} MiB`} />
      </div>
      <p className="mt-3 text-[0.8125rem] text-ink-3">{reason}</p>
    </section>
  );
}

/** What is used a little is not nothing. */
const cpuText = (milli: number) => (milli > 0 && milli < 10 ? '< 0.01 vCPU' : `${figure(milli / 1000)} vCPU`);

interface UseProps {
  readonly name: string;
  readonly use: RightSizing['cpuMilli'];
  readonly say: (value: number) => string;
}

/** A bar as long as the larger of the two sizes: used at p95 in it, the highest and the recommended size as marks. */
function Use({ name, use: { requested, p50, p95, max, recommended }, say }: UseProps) {
  const whole = Math.max(requested, recommended, max, 1);
  const at = (value: number) => `${Math.min(100, (value / whole) * 100)}%`;
  return (
    <div>
      <p className="flex items-baseline justify-between gap-3">
        <span className="text-[0.8125rem] font-medium text-ink-2">{name}</span>
        <span className="figures">
          {say(requested)}
          {recommended !== requested && (
            <>
              {' → '}
              <span className="font-semibold">{say(recommended)}</span>
            </>
          )}
        </span>
      </p>
      <div aria-hidden className="relative mt-1.5 h-2.5 rounded-full bg-sunken">
        <div className="absolute inset-y-0 left-0 rounded-full bg-accent" style={{ width: at(p95) }} />
        <div className="absolute -inset-y-0.5 w-0.5 -translate-x-1/2 bg-line-strong" style={{ left: at(max) }} />
        {recommended !== requested && (
          <div className="absolute -inset-y-1 w-0.5 -translate-x-1/2 bg-ink" style={{ left: at(recommended) }} />
        )}
      </div>
      <p className="figures mt-1.5 text-xs text-ink-3">
        used: p50 {say(p50)} · p95 {say(p95)} · max {say(max)}
      </p>
    </div>
  );
}
