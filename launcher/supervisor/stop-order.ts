interface Ending {
  readonly name: string;
  readonly endsBefore: readonly string[];
}

/**
 * Levels in which processes end: each level's processes at the same time, nobody before those that end before it.
 * @throws Error when the order forms a cycle or name nobody
 */
export function stopOrder(specs: readonly Ending[]): string[][] {
  const names = new Set(specs.map((spec) => spec.name));
  for (const spec of specs) {
    const stranger = spec.endsBefore.find((name) => !names.has(name));
    if (stranger !== undefined) throw new Error(`${spec.name} ends before ${stranger}, which is not there`);
  }
  const levels: string[][] = [];
  let left = [...specs];
  while (left.length > 0) {
    const needed = new Set(left.flatMap((spec) => spec.endsBefore));
    const level = left.filter((spec) => !needed.has(spec.name));
    if (level.length === 0) throw new Error(`a cycle among ${left.map((spec) => spec.name).join(', ')}`);
    levels.push(level.map((spec) => spec.name));
    left = left.filter((spec) => needed.has(spec.name));
  }
  return levels;
}
