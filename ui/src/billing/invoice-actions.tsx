import { type Invoice, type InvoiceVerification, OPERATIONS, type Problem } from '@skyrun/contracts';
import { FileDown, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import { toProblem } from '../api/problems.ts';
import { Button } from '../components/button.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { groupDigits } from '../format/money.ts';

const FILES = {
  PDF: { operation: OPERATIONS.getInvoicePdf, ending: 'pdf' },
  CSV: { operation: OPERATIONS.getInvoiceCsv, ending: 'csv' },
} as const;

/** Hands a file to the browser's downloads. */
function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

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

/** Downloads of an invoice, and its proof: the bill computed again from the raw usage. */
export function InvoiceActions({ invoice }: { invoice: Invoice }) {
  const api = useApi();
  const [doing, setDoing] = useState<'PDF' | 'CSV' | 'verify' | null>(null);
  const [verification, setVerification] = useState<InvoiceVerification | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const params = { project: invoice.project, invoiceId: invoice.id };

  async function run(what: 'PDF' | 'CSV' | 'verify') {
    setDoing(what);
    setProblem(null);
    try {
      if (what === 'verify') {
        setVerification(await api.call(OPERATIONS.verifyInvoice, { params }));
      } else {
        const { operation, ending } = FILES[what];
        save(await api.file(operation, { params }), `${invoice.number}.${ending}`);
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
        {(['PDF', 'CSV'] as const).map((format) => (
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
