/** What the operating system says of this process: bytes in memory now, and microseconds on a core since its start. */
export function processUsage(): { readonly residentBytes: number; readonly cpuMicros: number } {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuMicros: user + system };
}
