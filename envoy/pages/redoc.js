// ReDoc over /openapi.json.
"use strict";

(() => {
  // ReDoc's footer loads its maker's logo from another host, and has no option against that.
  HTMLImageElement.prototype.setAttribute = function (name, value) {
    const foreign = name === "src" && new URL(value, location.href).host !== location.host;
    if (!foreign || value.startsWith("data:")) Element.prototype.setAttribute.call(this, name, value);
  };

  const fonts = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const code = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
  const options = {
    scrollYOffset: "header",
    expandResponses: "200",
    hideDownloadButtons: true, // the header links the document
    jsonSampleExpandLevel: 3,
    requiredPropsFirst: true,
    theme: {
      colors: { primary: { main: "#1f5fa8" } },
      typography: {
        fontFamily: fonts,
        fontSize: "15px",
        headings: { fontFamily: fonts, fontWeight: "600" },
        code: { fontFamily: code, fontSize: "13px" },
      },
    },
  };
  Redoc.init("/openapi.json", options, document.getElementById("page"));
})();
