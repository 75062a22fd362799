// Runs before the first paint, so that a chosen theme never flashes the other one. A file rather
// than an inline script, because the page's content security policy allows no inline scripts.
(function () {
  var root = document.documentElement;
  var saved = {};
  try {
    saved = JSON.parse(localStorage.getItem('depthwire.preferences') || '{}') || {};
  } catch {
    // storage is blocked or holds something else: the defaults stand
  }
  if (saved.theme) root.dataset.theme = saved.theme;
  if (saved.palette) root.dataset.palette = saved.palette;
  var has = function (feature) {
    return matchMedia(`(${feature})`).matches;
  };
  // A wall of 4K that the system does not scale is looked at from further away than a desk's screen.
  var isWall = has('min-width: 3200px') && has('min-height: 1800px');
  var density = saved.density || (isWall ? 'large' : null);
  if (density) root.dataset.density = density;

  var isHigh = saved.contrast === 'high' || (saved.contrast !== 'normal' && has('prefers-contrast: more'));
  root.dataset.contrast = isHigh || has('forced-colors: active') ? 'high' : 'normal';

  // The browser paints its own bars by the system's theme unless it is told of another.
  var bars = Array.from(document.querySelectorAll('meta[name=theme-color]'));
  var chosen = bars.find(function (meta) {
    return meta.media.includes(`: ${saved.theme}`);
  });
  if (chosen) {
    bars.forEach(function (meta) {
      meta.content = chosen.content;
    });
  }
})();
