// A page that comes in parts, compressed. Nothing in it knows of savecast.
import compression from "compression";
import express from "express";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

const app = express();
app.use(compression({ threshold: 0 }));
app.use(express.static(new URL("public", import.meta.url).pathname));

const items = ["tea", "cake", "a spoon"];

app.get("/", async (request, response) => {
  const page = await readFile(new URL("page.html", import.meta.url), "utf8");
  const [head, foot] = page.split("<!-- items -->");
  response.type("html").write(head);
  for (const item of items) {
    // What takes a while on the server is there in the browser as soon as it can be.
    response.write(`<li>${item}</li>`);
    response.flush();
    await pause(30);
  }
  response.end(foot);
});

app.get("/api/items", (request, response) => response.json({ items }));

const server = app.listen(process.env.PORT ?? 5000, () => console.log(`listening at port ${server.address().port}`));
