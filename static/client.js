// The script that is put into every page. It starts the client, and is a classic script for one reason: browsers refuse
// import maps that come after the first module, and this stands before everything else in the page.
// Its own URL is the base of the import, whatever the `<base>` of the page.
"use strict";
{
  const { path, version } = document.currentScript.dataset;
  import("/_savecast/page.js")
    .then((page) => page.start(path, version))
    .catch((error) => console.error("savecast: this page is not live:", error));
}
