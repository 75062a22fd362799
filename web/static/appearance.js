// Runs before the first paint, so that a chosen theme never flashes the other one. A file rather
// than an inline script, because the page's content security policy allows no inline scripts.
(function () {
  try {
    var saved = JSON.parse(localStorage.getItem('depthwire.preferences') || '{}');
    var root = document.documentElement;
    if (saved.theme) root.dataset.theme = saved.theme;
    if (saved.palette) root.dataset.palette = saved.palette;
    if (saved.density) root.dataset.density = saved.density;
  } catch {
    // storage is blocked or holds something else: the defaults stand
  }
})();
