// Runs before the first paint, so that a dark page never flashes light. src/theme/theme.ts writes the same key.
(() => {
  let choice = 'system';
  try {
    choice = localStorage.getItem('skyrun.theme') ?? 'system';
  } catch (_blocked) {
    choice = 'system'; // Storage may be forbidden; the system's choice is then as good as any.
  }
  const dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
