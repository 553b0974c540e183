/** One command, unlike any other: of all about its subject, the one about `item`. */
export interface NumberedCommand {
  readonly subject: string;
  readonly item: string;
}

/** One effect as the consumer committed it. */
export interface Effect extends NumberedCommand {
  /** Of the event, per subject. */
  readonly sequence: number;
}

export interface Verdict {
  readonly acknowledged: number;
  /** Acknowledged and without any effect. */
  readonly lost: number;
  /** Effects beyond the first of a command. */
  readonly duplicated: number;
  /** Effects that came after one of the same subject with a later or the same sequence. */
  readonly disordered: number;
  /** The first few, for the reader. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

/**
 * Compares what was acknowledged with what took effect. A command that was never acknowledged may have an effect or none: its
 * caller was told nothing.
 * @param effects in the order in which they took effect
 */
export function judge(acknowledged: readonly NumberedCommand[], effects: readonly Effect[]): Verdict {
  const counts = new Map<string, number>();
  const last = new Map<string, number>();
  const examples: string[] = [];
  let disordered = 0;
  for (const effect of effects) {
    const key = keyOf(effect);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const before = last.get(effect.subject) ?? 0;
    if (effect.sequence <= before) {
      disordered += 1;
      examples.push(`${effect.subject}: ${effect.sequence} took effect after ${before}`);
    }
    last.set(effect.subject, Math.max(before, effect.sequence));
  }
  let lost = 0;
  for (const command of acknowledged) {
    if (counts.has(keyOf(command))) continue;
    lost += 1;
    examples.push(`${keyOf(command)} is lost`);
  }
  let duplicated = 0;
  for (const [key, count] of counts) {
    if (count === 1) continue;
    duplicated += count - 1;
    examples.push(`${key} took effect ${count} times`);
  }
  return { acknowledged: acknowledged.length, lost, duplicated, disordered, examples: examples.slice(0, EXAMPLES) };
}

export function holds(verdict: Verdict): boolean {
  return verdict.lost + verdict.duplicated + verdict.disordered === 0;
}

function keyOf({ subject, item }: NumberedCommand): string {
  return `${subject}#${item}`;
}
