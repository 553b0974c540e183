import { COLON, CR, FIELD_VALUE, HTAB, LF, SPACE, TOKEN } from './characters.ts';
import type { FieldNames } from './field-names.ts';
import type { HeadText } from './head-text.ts';
import type { HeadLimits } from './limits.ts';

const NOTHING = new Uint8Array(0);

/**
 * Walks the field lines of a complete head, one `next()` each, without an object per field.
 *
 *   line start ──token──► name ──':'──► OWS ──► value ──CR LF──► line start
 *       │ CR LF                                     (trailing OWS is cut off)
 *       ▼
 *      end
 *
 * Everything else is a fault: a space or tab at the line's start (obs-fold), a space before the colon, a bare CR or
 * LF, a control byte, an empty name, too many or too long lines.
 */
export class FieldScanner {
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** Where the next line begins; after the end, the first byte of the body. */
  position = 0;
  /** What is wrong, after `next()` returned `fault`. */
  fault = '';
  #text = '';
  #bytes: Uint8Array = NOTHING;
  #base = 0;
  #fields = 0;
  readonly #limits: HeadLimits;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  start({ text, bytes, base }: HeadText, position: number): void {
    this.#text = text;
    this.#bytes = bytes;
    this.#base = base;
    this.position = position;
    this.#fields = 0;
    this.fault = '';
  }

  /** The field's name in lower case. */
  name(): string {
    return this.#text.slice(this.nameStart, this.nameEnd).toLowerCase();
  }

  /** Which of `names` it is, or ''. */
  nameAmong<Name extends string>(names: FieldNames<Name>): Name | '' {
    return names.find(this.#bytes, this.#base + this.nameStart, this.#base + this.nameEnd);
  }

  value(): string {
    return this.#text.slice(this.valueStart, this.valueEnd);
  }

  /** Whether a tab stands beside the value. It may (RFC 9110 §5.5), but not every parser takes it for white space. */
  tabbed(): boolean {
    return this.#text.slice(this.nameEnd, this.position).includes('\t');
  }

  next(): 'field' | 'end' | 'fault' {
    const bytes = this.#bytes;
    const base = this.#base;
    const start = base + this.position;
    let index = start;
    let code = bytes[index] ?? 0;
    if (code === CR) {
      if (bytes[index + 1] !== LF) return this.#fail('a carriage return stands alone');
      this.position = index + 2 - base;
      return 'end';
    }
    while (TOKEN[code] === 1) {
      index += 1;
      code = bytes[index] ?? 0;
    }
    if (code !== COLON || index === start) return this.#fail(nameFault(code, index === start));
    this.nameStart = start - base;
    this.nameEnd = index - base;
    do {
      index += 1;
      code = bytes[index] ?? 0;
    } while (code === SPACE || code === HTAB);
    const valueStart = index;
    while (FIELD_VALUE[code] === 1) {
      index += 1;
      code = bytes[index] ?? 0;
    }
    if (code !== CR || bytes[index + 1] !== LF) {
      return this.#fail('a header value holds a control character or a line break that is not CR LF');
    }
    this.position = index + 2 - base;
    if (index - start > this.#limits.lineBytes) {
      return this.#fail(`a header line is longer than ${this.#limits.lineBytes} bytes`);
    }
    this.#fields += 1;
    if (this.#fields > this.#limits.fields) return this.#fail(`there are more than ${this.#limits.fields} headers`);
    while (index > valueStart && isBlank(bytes[index - 1] ?? 0)) index -= 1;
    this.valueStart = valueStart - base;
    this.valueEnd = index - base;
    return 'field';
  }

  #fail(fault: string): 'fault' {
    this.fault = fault;
    return 'fault';
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB;
}

function nameFault(code: number, atStart: boolean): string {
  if (atStart && isBlank(code)) return 'a header is folded over two lines';
  if (isBlank(code)) return 'there is a space between a header name and its colon';
  if (atStart && code === COLON) return 'a header has no name';
  return 'a header name holds a character that is not allowed';
}
