import PDFDocument from 'pdfkit';
import { type Paper, textLine } from './text-line.ts';

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
  textLine(paper, number, { x: 200, y: 66, width: PAGE.right - 200, align: 'right', size: 9, least: 6 });

  const top = 100;
  const rows = Math.ceil(facts.length / 2);
  paper.roundedRect(PAGE.left, top, PAGE.right - PAGE.left, 14 + rows * 32, 4).fill(BAND);
  facts.forEach(([name, value], index) => {
    const x = PAGE.left + 14 + (index % 2) * 170;
    const at = top + 12 + Math.floor(index / 2) * 32;
    paper.font('Helvetica').fontSize(7.5).fillColor(SOFT).text(name.toUpperCase(), x, at, { characterSpacing: 0.4 });
    paper.fillColor(INK);
    textLine(paper, value, { x, y: at + 11, width: 160, size: 9.5, least: 6, bold: true });
  });
  paper.font('Helvetica').fontSize(7.5).fillColor(SOFT);
  paper.text(sumName.toUpperCase(), 380, top + 12, { width: 151, align: 'right', characterSpacing: 0.4 });
  paper.fillColor(ACCENT);
  textLine(paper, sum, { x: 380, y: top + 28, width: 151, align: 'right', size: 20, least: 8, bold: true });
  return top + 14 + rows * 32 + 26;
}

/** Number and place on every page. */
export function drawFooters(paper: Paper, left: string): void {
  const { start, count } = paper.bufferedPageRange();
  for (let index = start; index < start + count; index += 1) {
    paper.switchToPage(index);
    rule(paper, 790);
    paper.fillColor(SOFT);
    textLine(paper, left, { x: PAGE.left, y: 797, width: 400, size: 7.5, least: 5.5 });
    const page = `Page ${index + 1} of ${count}`;
    textLine(paper, page, { x: PAGE.right - 90, y: 797, width: 90, align: 'right', size: 7.5 });
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
