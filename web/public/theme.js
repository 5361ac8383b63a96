// Runs before the first paint, so that a theme chosen by hand does not flash the system's one.
(function () {
  try {
    var theme = localStorage.getItem('fairweather.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is refused: the system's theme it is.
  }
})();
