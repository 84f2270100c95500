// ReDoc over /openapi.json.
"use strict";

(() => {
  // ReDoc's footer loads its maker's logo from another host, and has no option against that.
  const ours = (address) => {
    const { origin, protocol } = new URL(address, location.href);
    return origin === location.origin || protocol === "data:";
  };
  const src = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
  Object.defineProperty(HTMLImageElement.prototype, "src", {
    ...src,
    set(address) {
      if (ours(address)) src.set.call(this, address);
    },
  });
  HTMLImageElement.prototype.setAttribute = function (name, value) {
    if (name !== "src" || ours(value)) Element.prototype.setAttribute.call(this, name, value);
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
