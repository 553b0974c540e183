import { type Invoice, type InvoiceVerification, OPERATIONS, type Problem } from '@skyrun/contracts';
import { FileDown, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { toProblem } from '../../api/problems.ts';
import { Button } from '../../components/button.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { groupDigits } from '../../format/money.ts';
import { saveFile } from './save-file.ts';

const FILES = {
  PDF: { operation: OPERATIONS.getInvoicePdf, ending: 'pdf' },
  CSV: { operation: OPERATIONS.getInvoiceCsv, ending: 'csv' },
} as const;

function Verdict({ verification }: { verification: InvoiceVerification }) {
  const { exact, difference, usageRows } = verification;
  const rows = groupDigits(String(usageRows));
  if (exact) {
    return (
      <p role="status" className="rounded-xl bg-ok-soft p-4 text-ok-ink">
        Computed again from {rows} usage records: every line is exact.
      </p>
    );
  }
  return (
    <p role="alert" className="rounded-xl bg-bad-soft p-4 text-bad-ink">
      The invoice differs from its {rows} usage records
      {difference !== null && ` at ${difference.field}: it says ${difference.invoice}, usage says ${difference.usage}`}.
    </p>
  );
}

type Doing = 'PDF' | 'CSV' | 'JSON' | 'verify';

/** Downloads of an invoice, and its proof: the bill computed again from the raw usage. */
export function InvoiceActions({ invoice }: { invoice: Invoice }) {
  const api = useApi();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [verification, setVerification] = useState<InvoiceVerification | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const params = { project: invoice.project, invoiceId: invoice.id };

  async function run(what: Doing) {
    setDoing(what);
    setProblem(null);
    try {
      if (what === 'verify') {
        setVerification(await api.call(OPERATIONS.verifyInvoice, { params }));
      } else if (what === 'JSON') {
        const file = new Blob([`${JSON.stringify(invoice, null, 2)}\n`], { type: 'application/json' });
        saveFile(file, `${invoice.number}.json`);
      } else {
        const { operation, ending } = FILES[what];
        saveFile(await api.file(operation, { params }), `${invoice.number}.${ending}`);
      }
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setDoing(null);
    }
  }

  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        {(['PDF', 'CSV', 'JSON'] as const).map((format) => (
          <Button key={format} busy={doing === format} onClick={() => void run(format)}>
            <FileDown aria-hidden />
            Download {format}
          </Button>
        ))}
        <Button busy={doing === 'verify'} onClick={() => void run('verify')}>
          <ShieldCheck aria-hidden />
          Verify against usage
        </Button>
      </div>
      {verification !== null && <Verdict verification={verification} />}
      {problem !== null && <ProblemNotice error={problem} />}
    </div>
  );
}
