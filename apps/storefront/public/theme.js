// Runs before the first paint, from a file of its own, so that the page needs no inline script.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('servery.theme');
  } catch {
    // Storage may be forbidden; the system's preference is then enough.
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme =
    chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
})();
