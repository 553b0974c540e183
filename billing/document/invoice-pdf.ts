import type { Invoice } from '@skyrun/contracts';
import PDFDocument from 'pdfkit';
import { groupThousands, pricedQuantity } from './priced-quantity.ts';

type Document = InstanceType<typeof PDFDocument>;
type Line = Invoice['lines'][number];

/** Points on A4. */
const PAGE = { left: 50, right: 545, bottom: 770 } as const;
const COLUMNS = {
  description: { x: 50, width: 215, align: 'left' },
  quantity: { x: 265, width: 105, align: 'right' },
  price: { x: 375, width: 100, align: 'right' },
  amount: { x: 480, width: 65, align: 'right' },
} as const;
const INK = '#111827';
const SOFT = '#6b7280';
const RULE = '#d1d5db';
const BAND = '#f3f4f6';
const ACCENT = '#1d4ed8';

/** Draws an invoice on as many A4 pages as it needs; each has the table's head, the number and its place. */
export function invoicePdf(invoice: Invoice): Promise<Buffer> {
  const document = new PDFDocument({
    size: 'A4',
    margins: { top: 50, bottom: 30, left: PAGE.left, right: 50 },
    bufferPages: true,
    info: {
      Title: `Invoice ${invoice.number}`,
      Author: 'Skyrun',
      Subject: `Usage of project ${invoice.project}`,
      CreationDate: new Date(invoice.createdAt),
    },
  });
  const chunks: Buffer[] = [];
  const written = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  let y = drawHead(document, invoice);
  y = drawTable(document, invoice, y);
  drawSums(document, invoice, y);
  drawFooters(document, invoice);
  document.end();
  return written;
}

function drawHead(document: Document, invoice: Invoice): number {
  document.rect(0, 0, 595, 8).fill(ACCENT);
  document.font('Helvetica-Bold').fontSize(20).fillColor(INK).text('Skyrun', PAGE.left, 42);
  document.fontSize(20).text('Invoice', 300, 42, { width: PAGE.right - 300, align: 'right' });
  document.font('Helvetica').fontSize(9).fillColor(SOFT);
  document.text('Self-hosted serverless containers', PAGE.left, 66);
  document.text(invoice.number, 300, 66, { width: PAGE.right - 300, align: 'right' });

  const facts: [name: string, value: string][] = [
    ['Project', invoice.project],
    ['Usage period (UTC)', `${day(invoice.periodStart)} – ${day(invoice.periodEnd)}`],
    ['Issued', day(invoice.createdAt)],
    ['Status', invoice.state.charAt(0).toUpperCase() + invoice.state.slice(1)],
  ];
  const top = 100;
  document.roundedRect(PAGE.left, top, PAGE.right - PAGE.left, 78, 4).fill(BAND);
  facts.forEach(([name, value], index) => {
    const x = PAGE.left + 14 + (index % 2) * 190;
    const at = top + 12 + Math.floor(index / 2) * 32;
    document.font('Helvetica').fontSize(7.5).fillColor(SOFT).text(name.toUpperCase(), x, at, { characterSpacing: 0.4 });
    document
      .font('Helvetica-Bold')
      .fontSize(9.5)
      .fillColor(INK)
      .text(value, x, at + 11, { width: 180, lineBreak: false });
  });
  document.font('Helvetica').fontSize(7.5).fillColor(SOFT);
  document.text(`TOTAL (${invoice.currency})`, 420, top + 12, { width: 113, align: 'right', characterSpacing: 0.4 });
  document.font('Helvetica-Bold').fontSize(20).fillColor(ACCENT);
  document.text(groupThousands(invoice.total), 400, top + 28, { width: 133, align: 'right' });
  return top + 104;
}

function drawTable(document: Document, invoice: Invoice, start: number): number {
  let y = drawTableHead(document, start);
  if (invoice.lines.length === 0) {
    document
      .font('Helvetica')
      .fontSize(9)
      .fillColor(SOFT)
      .text('No usage in this period.', PAGE.left, y + 8);
    return y + 30;
  }
  for (const [service, lines] of Map.groupBy(invoice.lines, (line) => line.service)) {
    // A service's name never stands alone at the foot of a page.
    y = roomFor(document, y, 60);
    document
      .font('Helvetica-Bold')
      .fontSize(9)
      .fillColor(INK)
      .text(service, PAGE.left, y + 8);
    y += 24;
    for (const line of lines) y = drawLine(document, line, y);
  }
  return y;
}

function drawLine(document: Document, line: Line, start: number): number {
  document.font('Helvetica').fontSize(8.5);
  const { x, width } = COLUMNS.description;
  const height = document.heightOfString(line.description, { width: width - 10 });
  const y = roomFor(document, start, height + 20);
  document
    .font('Helvetica')
    .fontSize(8.5)
    .fillColor(INK)
    .text(line.description, x + 10, y, { width: width - 10 });
  put(document, 'quantity', pricedQuantity(line, 3), y);
  put(document, 'price', groupThousands(line.unitPrice), y);
  put(document, 'amount', groupThousands(line.amount), y);
  document.fontSize(7).fillColor(SOFT);
  put(
    document,
    'quantity',
    `${line.pricedUnit}${line.pricedUnit.endsWith('s') || line.pricedUnit === 'GiB' ? '' : 's'}`,
    y + 11,
  );
  put(document, 'price', `per ${line.pricedUnit}`, y + 11);
  const end = y + Math.max(height, 20) + 5;
  rule(document, end - 2);
  return end + 3;
}

function drawSums(document: Document, invoice: Invoice, start: number): void {
  let y = roomFor(document, start, 60) + 10;
  const row = (name: string, amount: string, bold: boolean) => {
    document.font(bold ? 'Helvetica-Bold' : 'Helvetica').fontSize(bold ? 10.5 : 9);
    const width = 280;
    const height = document.heightOfString(name, { width });
    y = roomFor(document, y, height + 8);
    document.font(bold ? 'Helvetica-Bold' : 'Helvetica').fontSize(bold ? 10.5 : 9);
    document.fillColor(bold ? INK : SOFT).text(name, 190, y, { width, align: 'right' });
    document.fillColor(INK);
    put(document, 'amount', groupThousands(amount), y);
    y += height + 6;
  };
  row('Subtotal', invoice.subtotal, false);
  for (const { description, amount } of invoice.credits) row(description, amount, false);
  for (const { name, percent, amount } of invoice.taxes ?? []) row(`${name} (${percent} %)`, amount, false);
  document.moveTo(330, y).lineTo(PAGE.right, y).lineWidth(1).strokeColor(INK).stroke();
  y += 8;
  row(`Total ${invoice.currency}`, invoice.total, true);
  y = roomFor(document, y, 40) + 14;
  document.font('Helvetica').fontSize(7.5).fillColor(SOFT);
  document.text(
    `Priced by ${invoice.priceList}. Quantities are exact; each line is rounded half-even once, and lines and credits add up to the total. Every line can be traced to its usage rows on the billing page.`,
    PAGE.left,
    y,
    { width: PAGE.right - PAGE.left },
  );
}

function drawTableHead(document: Document, y: number): number {
  document.font('Helvetica-Bold').fontSize(7.5).fillColor(SOFT);
  put(document, 'description', 'DESCRIPTION', y);
  put(document, 'quantity', 'QUANTITY', y);
  put(document, 'price', 'UNIT PRICE', y);
  put(document, 'amount', 'AMOUNT', y);
  document
    .moveTo(PAGE.left, y + 13)
    .lineTo(PAGE.right, y + 13)
    .lineWidth(1)
    .strokeColor(INK)
    .stroke();
  return y + 16;
}

/** A place with `height` points of room: `y`, or below the table's head of a new page. */
function roomFor(document: Document, y: number, height: number): number {
  if (y + height <= PAGE.bottom) return y;
  document.addPage();
  return drawTableHead(document, 50) + 6;
}

function put(document: Document, column: keyof typeof COLUMNS, text: string, y: number): void {
  const { x, width, align } = COLUMNS[column];
  document.text(text, x, y, { width, align, lineBreak: false });
}

function rule(document: Document, y: number): void {
  document.moveTo(PAGE.left, y).lineTo(PAGE.right, y).lineWidth(0.5).strokeColor(RULE).stroke();
}

function drawFooters(document: Document, invoice: Invoice): void {
  const { count } = document.bufferedPageRange();
  for (let page = 0; page < count; page += 1) {
    document.switchToPage(page);
    document.font('Helvetica').fontSize(7.5).fillColor(SOFT);
    document.text(`Invoice ${invoice.number} · project ${invoice.project}`, PAGE.left, 795, { lineBreak: false });
    document.text(`Page ${page + 1} of ${count}`, 400, 795, {
      width: PAGE.right - 400,
      align: 'right',
      lineBreak: false,
    });
  }
}

/** `2026-01-15 12:00`, or only the day at midnight. */
function day(timestamp: string): string {
  const [date = '', time = ''] = timestamp.split('T');
  return time.startsWith('00:00:00') ? date : `${date} ${time.slice(0, 5)}`;
}
