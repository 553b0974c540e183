import { fileURLToPath } from 'node:url';
import type PDFDocument from 'pdfkit';

export type Paper = InstanceType<typeof PDFDocument>;

export interface LinePlace {
  readonly x: number;
  readonly y: number;
  /** Nothing is drawn outside of it, points. */
  readonly width: number;
  readonly align?: 'left' | 'right';
  readonly size: number;
  /** How small the text may become before it is cut. */
  readonly least?: number;
  readonly bold?: boolean;
}

/** Draws text that keeps to one line: smaller where it is long, and cut where that is not enough. */
export function textLine(paper: Paper, text: string, place: LinePlace): void {
  const { x, y, width, align = 'left', size, least = size, bold = false } = place;
  setFace(paper, text, bold);
  let fitting = size;
  while (fitting > least && paper.fontSize(fitting).widthOfString(text) > width) fitting -= 0.5;
  paper.fontSize(fitting);
  const shown = cutTo(paper, text, width);
  const left = align === 'right' ? x + width - paper.widthOfString(shown) : x;
  paper.text(shown, left, y + (size - fitting) / 2, { lineBreak: false });
}

function cutTo(paper: Paper, text: string, width: number): string {
  if (paper.widthOfString(text) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && paper.widthOfString(`${letters.join('')}…`) > width) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}

/** What the fonts that every reader has can draw: Latin with Western accents (Windows-1252). */
const COMMON = /^[\n\x20-\x7e\xa0-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/;

const OURS = fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf'));
const OURS_BOLD = fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf'));

/** Chooses a font that has the letters of `text`; Eastern European, Greek, Cyrillic, signs and arrows are in one of our own. */
export function setFace(paper: Paper, text: string, bold = false): Paper {
  if (COMMON.test(text)) return paper.font(bold ? 'Helvetica-Bold' : 'Helvetica');
  return paper.font(bold ? OURS_BOLD : OURS);
}
