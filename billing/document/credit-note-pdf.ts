import type { CreditNote, Invoice } from '@skyrun/contracts';
import { day, drawFooters, drawHead, drawPaper, INK, PAGE, rule, SOFT } from './paper.ts';
import { groupThousands } from './priced-quantity.ts';
import { type Paper, setFace, textLine } from './text-line.ts';

/** Draws a credit note beside what its invoice says. */
export function creditNotePdf(note: CreditNote, invoice: Pick<Invoice, 'total' | 'createdAt'>): Promise<Buffer> {
  const { number, project, createdAt, currency, amount, tax = '0.00', invoiceNumber, reason, refundable } = note;
  const file = { title: `Credit note ${number}`, subject: `Credit on invoice ${invoiceNumber}`, createdAt };
  return drawPaper(file, (paper) => {
    let y = drawHead(paper, {
      kind: 'Credit note',
      number,
      facts: [
        ['Project', project],
        ['On invoice', invoiceNumber],
        ['Issued', day(createdAt)],
        ['Settled as', refundable ? 'Refund of a paid amount' : 'Less to pay'],
      ],
      sumName: `Credited (${currency})`,
      sum: groupThousands(amount),
    });
    paper.font('Helvetica-Bold').fontSize(7.5).fillColor(SOFT).text('REASON', PAGE.left, y, { characterSpacing: 0.4 });
    setFace(paper, reason).fontSize(10).fillColor(INK);
    paper.text(reason, PAGE.left, y + 14, { width: PAGE.right - PAGE.left, lineGap: 2 });
    y = paper.y + 18;
    rule(paper, y);
    y = row(
      paper,
      `Invoice ${invoiceNumber} of ${day(invoice.createdAt)}`,
      groupThousands(invoice.total),
      y + 12,
      false,
    );
    y = row(paper, `Credited by this note, ${currency}`, `-${groupThousands(amount)}`, y + 4, true);
    if (Number(tax) !== 0) y = row(paper, 'Of which tax', `-${groupThousands(tax)}`, y + 2, false);
    paper.font('Helvetica').fontSize(7.5).fillColor(SOFT);
    paper.text(
      refundable
        ? 'The invoice was paid when this note was made, so the amount is owed back. The invoice itself never changes.'
        : 'The amount is taken off what is due on the invoice. The invoice itself never changes.',
      PAGE.left,
      y + 16,
      { width: PAGE.right - PAGE.left },
    );
    drawFooters(paper, `Credit note ${number} · project ${project}`);
  });
}

function row(paper: Paper, name: string, amount: string, y: number, bold: boolean): number {
  const size = bold ? 10.5 : 9;
  paper.fillColor(bold ? INK : SOFT);
  textLine(paper, name, { x: PAGE.left, y, width: 370, size, least: 6, bold });
  paper.fillColor(INK);
  textLine(paper, amount, { x: 430, y, width: PAGE.right - 430, align: 'right', size, least: 6, bold });
  return y + size + 8;
}
