import type { Invoice } from '@skyrun/contracts';
import { day, drawFooters, drawHead, drawPaper, INK, PAGE, rule, SOFT } from './paper.ts';
import { groupThousands, pricedQuantity } from './priced-quantity.ts';
import { type Paper, setFace, textLine } from './text-line.ts';

type Line = Invoice['lines'][number];

const COLUMNS = {
  description: { x: 50, width: 215, align: 'left' },
  quantity: { x: 265, width: 105, align: 'right' },
  price: { x: 375, width: 100, align: 'right' },
  amount: { x: 480, width: 65, align: 'right' },
} as const;

/** Draws an invoice on as many A4 pages as it needs; each has the table's head, the number and its place. */
export function invoicePdf(invoice: Invoice): Promise<Buffer> {
  const { number, project, createdAt, currency, total } = invoice;
  const file = { title: `Invoice ${number}`, subject: `Usage of project ${project}`, createdAt };
  return drawPaper(file, (paper) => {
    const y = drawHead(paper, {
      kind: 'Invoice',
      number,
      facts: [
        ['Project', project],
        ['Usage period (UTC)', `${day(invoice.periodStart)} – ${day(invoice.periodEnd)}`],
        ['Issued', day(createdAt)],
        ['Status', invoice.state.charAt(0).toUpperCase() + invoice.state.slice(1)],
        ...paymentOf(invoice),
      ],
      sumName: `Total (${currency})`,
      sum: groupThousands(total),
    });
    drawSums(paper, invoice, drawTable(paper, invoice, y));
    drawFooters(paper, `Invoice ${number} · project ${project}`);
  });
}

function paymentOf({ paymentReference }: Invoice): [name: string, value: string][] {
  return paymentReference === undefined ? [] : [['Paid by', paymentReference]];
}

function drawTable(paper: Paper, invoice: Invoice, start: number): number {
  let y = drawTableHead(paper, start);
  if (invoice.lines.length === 0) {
    paper
      .font('Helvetica')
      .fontSize(9)
      .fillColor(SOFT)
      .text('No usage in this period.', PAGE.left, y + 8);
    return y + 30;
  }
  for (const [service, lines] of Map.groupBy(invoice.lines, (line) => line.service)) {
    // A service's name never stands alone at the foot of a page.
    y = drawService(paper, service, roomFor(paper, y, 60));
    for (const line of lines) y = drawLine(paper, line, y);
  }
  return y;
}

function drawService(paper: Paper, name: string, y: number): number {
  paper.fillColor(INK);
  textLine(paper, name, { x: PAGE.left, y: y + 8, width: PAGE.right - PAGE.left, size: 9, bold: true });
  return y + 24;
}

function drawLine(paper: Paper, line: Line, start: number): number {
  paper.font('Helvetica').fontSize(8.5);
  const { x, width } = COLUMNS.description;
  const height = paper.heightOfString(line.description, { width: width - 10 });
  const room = roomFor(paper, start, height + 20);
  const y = room === start ? start : drawService(paper, `${line.service}, continued`, room - 6);
  paper
    .font('Helvetica')
    .fontSize(8.5)
    .fillColor(INK)
    .text(line.description, x + 10, y, { width: width - 10 });
  put(paper, 'quantity', pricedQuantity(line, placesOf(line)), y);
  put(paper, 'price', groupThousands(line.unitPrice), y);
  put(paper, 'amount', groupThousands(line.amount), y);
  paper.fillColor(SOFT);
  const units = line.pricedUnit.endsWith('s') || line.pricedUnit === 'GiB' ? line.pricedUnit : `${line.pricedUnit}s`;
  put(paper, 'quantity', units, y + 11, { size: 7 });
  put(paper, 'price', `per ${line.pricedUnit}`, y + 11, { size: 7 });
  const end = y + Math.max(height, 20) + 5;
  rule(paper, end - 2);
  return end + 3;
}

/** Single requests, and a KiB or so, are to be seen beside a price per million or GiB. */
const placesOf = ({ meter }: Line): number => (meter === 'requests' || meter === 'egress' ? 6 : 3);

function drawSums(paper: Paper, invoice: Invoice, start: number): void {
  let y = roomFor(paper, start, 60) + 10;
  const row = (name: string, amount: string, bold: boolean) => {
    const size = bold ? 10.5 : 9;
    const width = 280;
    const height = setFace(paper, name, bold).fontSize(size).heightOfString(name, { width });
    y = roomFor(paper, y, height + 8);
    setFace(paper, name, bold).fontSize(size);
    paper.fillColor(bold ? INK : SOFT).text(name, 160, y, { width, align: 'right' });
    paper.fillColor(INK);
    textLine(paper, groupThousands(amount), { x: 450, y, width: 95, align: 'right', size, least: 6, bold });
    y += height + 6;
  };
  row('Subtotal', invoice.subtotal, false);
  for (const { description, amount } of invoice.credits) row(description, amount, false);
  for (const { name, percent, amount } of invoice.taxes ?? []) row(`${name} (${percent} %)`, amount, false);
  paper.moveTo(300, y).lineTo(PAGE.right, y).lineWidth(1).strokeColor(INK).stroke();
  y += 8;
  row(`Total ${invoice.currency}`, invoice.total, true);
  y = roomFor(paper, y, 40) + 14;
  paper.font('Helvetica').fontSize(7.5).fillColor(SOFT);
  paper.text(
    `Priced by ${invoice.priceList}. Quantities are exact; each line is rounded half-even once, and lines and credits add up to the total. Every line can be traced to its usage rows on the billing page.`,
    PAGE.left,
    y,
    { width: PAGE.right - PAGE.left },
  );
}

function drawTableHead(paper: Paper, y: number): number {
  paper.fillColor(SOFT);
  const head = { size: 7.5, bold: true };
  put(paper, 'description', 'DESCRIPTION', y, head);
  put(paper, 'quantity', 'QUANTITY', y, head);
  put(paper, 'price', 'UNIT PRICE', y, head);
  put(paper, 'amount', 'AMOUNT', y, head);
  paper
    .moveTo(PAGE.left, y + 13)
    .lineTo(PAGE.right, y + 13)
    .lineWidth(1)
    .strokeColor(INK)
    .stroke();
  return y + 16;
}

/** A place with `height` points of room: `y`, or below the table's head of a new page. */
function roomFor(paper: Paper, y: number, height: number): number {
  if (y + height <= PAGE.bottom) return y;
  paper.addPage();
  return drawTableHead(paper, 50) + 6;
}

function put(
  paper: Paper,
  column: keyof typeof COLUMNS,
  text: string,
  y: number,
  { size = 8.5, bold = false }: { readonly size?: number; readonly bold?: boolean } = {},
): void {
  textLine(paper, text, { ...COLUMNS[column], y, size, least: 5.5, bold });
}
