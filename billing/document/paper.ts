import PDFDocument from 'pdfkit';

export type Paper = InstanceType<typeof PDFDocument>;

/** Points on A4. */
export const PAGE = { left: 50, right: 545, bottom: 770 } as const;
export const INK = '#111827';
export const SOFT = '#6b7280';
const RULE = '#d1d5db';
const BAND = '#f3f4f6';
const ACCENT = '#1d4ed8';

export interface PaperFacts {
  /** Of the file, e.g. `Invoice DEMO-000001`. */
  readonly title: string;
  readonly subject: string;
  readonly createdAt: string;
}

/** Draws a document of A4 pages and hands it over as a file. */
export function drawPaper({ title, subject, createdAt }: PaperFacts, draw: (paper: Paper) => void): Promise<Buffer> {
  const paper = new PDFDocument({
    size: 'A4',
    margins: { top: 50, bottom: 30, left: PAGE.left, right: 50 },
    bufferPages: true,
    info: { Title: title, Author: 'Skyrun', Subject: subject, CreationDate: new Date(createdAt) },
  });
  const chunks: Buffer[] = [];
  const written = new Promise<Buffer>((resolve, reject) => {
    paper.on('data', (chunk: Buffer) => chunks.push(chunk));
    paper.on('end', () => resolve(Buffer.concat(chunks)));
    paper.on('error', reject);
  });
  draw(paper);
  paper.end();
  return written;
}

export interface Head {
  /** What it is: `Invoice`, `Credit note`. */
  readonly kind: string;
  readonly number: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly sumName: string;
  readonly sum: string;
}

/** The top of the first page; returns where what follows may begin. */
export function drawHead(paper: Paper, { kind, number, facts, sumName, sum }: Head): number {
  paper.rect(0, 0, 595, 8).fill(ACCENT);
  paper.font('Helvetica-Bold').fontSize(20).fillColor(INK).text('Skyrun', PAGE.left, 42);
  paper.fontSize(20).text(kind, 300, 42, { width: PAGE.right - 300, align: 'right' });
  paper.font('Helvetica').fontSize(9).fillColor(SOFT);
  paper.text('Self-hosted serverless containers', PAGE.left, 66);
  paper.text(number, 300, 66, { width: PAGE.right - 300, align: 'right' });

  const top = 100;
  const rows = Math.ceil(facts.length / 2);
  paper.roundedRect(PAGE.left, top, PAGE.right - PAGE.left, 14 + rows * 32, 4).fill(BAND);
  facts.forEach(([name, value], index) => {
    const x = PAGE.left + 14 + (index % 2) * 170;
    const at = top + 12 + Math.floor(index / 2) * 32;
    paper.font('Helvetica').fontSize(7.5).fillColor(SOFT).text(name.toUpperCase(), x, at, { characterSpacing: 0.4 });
    fitted(paper, value, x, at + 11, 160);
  });
  paper.font('Helvetica').fontSize(7.5).fillColor(SOFT);
  paper.text(sumName.toUpperCase(), 380, top + 12, { width: 151, align: 'right', characterSpacing: 0.4 });
  paper.font('Helvetica-Bold').fontSize(20).fillColor(ACCENT);
  paper.text(sum, 360, top + 28, { width: 171, align: 'right', lineBreak: false });
  return top + 14 + rows * 32 + 26;
}

/** One line of bold text, smaller where it is long. */
function fitted(paper: Paper, text: string, x: number, y: number, width: number): void {
  paper.font('Helvetica-Bold').fillColor(INK);
  let size = 9.5;
  while (size > 6 && paper.fontSize(size).widthOfString(text) > width) size -= 0.5;
  paper.fontSize(size).text(text, x, y + (9.5 - size) / 2, { width, lineBreak: false, ellipsis: true });
}

/** Number and place on every page. */
export function drawFooters(paper: Paper, left: string): void {
  const { start, count } = paper.bufferedPageRange();
  for (let index = start; index < start + count; index += 1) {
    paper.switchToPage(index);
    rule(paper, 790);
    paper.font('Helvetica').fontSize(7.5).fillColor(SOFT);
    paper.text(left, PAGE.left, 797, { lineBreak: false });
    paper.text(`Page ${index + 1} of ${count}`, PAGE.left, 797, {
      width: PAGE.right - PAGE.left,
      align: 'right',
      lineBreak: false,
    });
  }
}

export function rule(paper: Paper, y: number): void {
  paper.moveTo(PAGE.left, y).lineTo(PAGE.right, y).lineWidth(0.5).strokeColor(RULE).stroke();
}

/** `2026-01-15 12:00`, or only the day at midnight. */
export function day(timestamp: string): string {
  const [date = '', time = ''] = timestamp.split('T');
  return time.startsWith('00:00:00') ? date : `${date} ${time.slice(0, 5)}`;
}
