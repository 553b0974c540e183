import { type Invoice, type InvoiceVerification, OPERATIONS } from '@skyrun/contracts';
import { FileDown, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { useAction, useRowAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { groupDigits } from '../../format/money.ts';
import { saveFile } from './save-file.ts';

const FILES = { PDF: OPERATIONS.getInvoicePdf, CSV: OPERATIONS.getInvoiceCsv } as const;

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
  const [verification, setVerification] = useState<InvoiceVerification | null>(null);
  const { busy, problem, run } = useAction(async () => {
    const params = { project: invoice.project, invoiceId: invoice.id };
    setVerification(await api.call(OPERATIONS.verifyInvoice, { params }));
  });
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        {(['PDF', 'CSV', 'JSON'] as const).map((format) => (
          <Download key={format} invoice={invoice} format={format} />
        ))}
        <Button busy={busy} onClick={run}>
          <ShieldCheck aria-hidden />
          Verify against usage
        </Button>
      </div>
      {verification !== null && <Verdict verification={verification} />}
      {problem !== null && <ProblemNotice error={problem} />}
    </div>
  );
}

function Download({ invoice, format }: { invoice: Invoice; format: 'PDF' | 'CSV' | 'JSON' }) {
  const api = useApi();
  const { busy, run } = useRowAction(`${invoice.number} was not downloaded`, async () => {
    const params = { project: invoice.project, invoiceId: invoice.id };
    const file =
      format === 'JSON'
        ? new Blob([`${JSON.stringify(invoice, null, 2)}\n`], { type: 'application/json' })
        : await api.file(FILES[format], { params });
    saveFile(file, `${invoice.number}.${format.toLowerCase()}`);
  });
  return (
    <Button busy={busy} onClick={run}>
      <FileDown aria-hidden />
      Download {format}
    </Button>
  );
}
