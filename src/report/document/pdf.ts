import type { Drawing } from '../bench/drawing';
import type { Block } from './blocks';

const MARGIN = 48;
const SIZES = { 1: 18, 2: 13, 3: 10.5 } as const;

type Doc = PDFKit.PDFDocument;

/**
 * The document as PDF without a browser, with the fonts that every PDF reader has: plainer than the printed page, and with
 * the same content. Characters that these fonts lack are replaced.
 */
export async function documentPdf(title: string, blocks: readonly Block[]): Promise<Buffer> {
  // Loaded here because nothing else needs it, and it is slow to load.
  const { default: PDFDocument } = await import('pdfkit');
  const doc: Doc = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    bufferPages: true,
    // No time of day: two runs give the same bytes.
    info: { Title: plain(title), Producer: 'kport', Creator: 'kport', CreationDate: new Date(0), ModDate: new Date(0) },
  });
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    doc.on('data', (c: Buffer) => chunks.push(c));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
  });
  for (const block of blocks) put(doc, block);
  number(doc);
  doc.end();
  return done;
}

function put(doc: Doc, b: Block): void {
  const width = doc.page.width - 2 * MARGIN;
  switch (b.kind) {
    case 'heading':
      if (left(doc) < 70) doc.addPage();
      if (b.level > 1) doc.moveDown(b.level === 2 ? 1 : 0.5);
      doc.font('Helvetica-Bold').fontSize(SIZES[b.level]).text(plain(b.text), MARGIN, doc.y, { width }).moveDown(0.3);
      return;
    case 'paragraph':
      doc.font(b.strong ? 'Helvetica-Bold' : 'Helvetica').fontSize(10);
      doc.text(plain(b.text), MARGIN, doc.y, { width }).moveDown(0.4);
      return;
    case 'list':
      doc.font('Helvetica').fontSize(9.5);
      for (const item of b.items) doc.text(`\u2022 ${plain(item)}`, MARGIN + 8, doc.y, { width: width - 8 });
      return;
    case 'table':
      return table(doc, b, width);
    case 'drawing':
      return draw(doc, b.drawing, width);
  }
}

const left = (doc: Doc) => doc.page.height - MARGIN - doc.y;

function table(doc: Doc, b: Extract<Block, { kind: 'table' }>, width: number): void {
  const total = b.widths.reduce((x, y) => x + y, 0);
  const widths = b.widths.map((w) => (w / total) * width);
  const row = (cells: readonly string[], font: string) => {
    doc.font(font).fontSize(7.5);
    const texts = cells.map((c) => plain(c));
    const height = Math.max(...texts.map((t, i) => doc.heightOfString(t || ' ', { width: widths[i]! - 6 }))) + 4;
    if (left(doc) < height) {
      doc.addPage();
      if (font === 'Helvetica') head();
    }
    const top = doc.y;
    let x = MARGIN;
    texts.forEach((t, i) => {
      doc.font(font).fontSize(7.5);
      doc.text(t, x + 3, top + 2, { width: widths[i]! - 6, align: b.right?.includes(i) ? 'right' : 'left' });
      x += widths[i]!;
    });
    doc
      .moveTo(MARGIN, top + height)
      .lineTo(MARGIN + width, top + height)
      .lineWidth(0.4)
      .strokeColor('#bbbbbb')
      .stroke();
    doc.x = MARGIN;
    doc.y = top + height;
  };
  const head = () => {
    if (b.head.some(Boolean)) row(b.head, 'Helvetica-Bold');
  };
  head();
  for (const cells of b.rows) row(cells, 'Helvetica');
  doc.moveDown(0.8);
}

function draw(doc: Doc, d: Drawing, width: number): void {
  const scale = Math.min(1, width / d.width);
  if (left(doc) < d.height * scale + 8) doc.addPage();
  const top = doc.y;
  doc.save().translate(MARGIN, top).scale(scale);
  for (const s of d.shapes) {
    if (s.kind === 'rect') doc.rect(s.x, s.y, s.width, s.height).fill(s.fill);
    else if (s.kind === 'line') {
      doc.lineWidth(1).strokeColor(s.stroke);
      if (s.dash) doc.dash(4, { space: 3 });
      doc.moveTo(s.x1, s.y1).lineTo(s.x2, s.y2).stroke();
      doc.undash();
    } else {
      doc.font('Helvetica').fontSize(s.size).fillColor('#111111');
      const words = plain(s.text);
      const w = doc.widthOfString(words);
      const x = s.anchor === 'start' ? s.x : s.anchor === 'end' ? s.x - w : s.x - w / 2;
      doc.text(words, x, s.y - s.size * 0.8, { lineBreak: false });
    }
  }
  doc.restore();
  doc.fillColor('#111111');
  doc.x = MARGIN;
  doc.y = top + d.height * scale + 8;
}

/** Page numbers, when it is known how many pages there are. */
function number(doc: Doc): void {
  const { start, count } = doc.bufferedPageRange();
  for (let i = start; i < start + count; i++) {
    doc.switchToPage(i);
    // Inside the bottom margin, where pdfkit would begin a new page.
    doc.page.margins.bottom = 0;
    doc.font('Helvetica').fontSize(8).fillColor('#555555');
    doc.text(`${i + 1} / ${count}`, MARGIN, doc.page.height - 30, {
      width: doc.page.width - 2 * MARGIN,
      align: 'center',
      lineBreak: false,
    });
  }
}

/** The text in the characters of the standard fonts (Windows-1252). */
function plain(text: string): string {
  return text
    .replace(/→/g, '->')
    .replace(/…/g, '...')
    .replace(/\t/g, ' ')
    .replace(/[^\x20-\x7e\xa0-\xff\n]/g, '?');
}
