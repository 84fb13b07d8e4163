// Bundle the pages: build.mjs OUT
import { build } from "esbuild";
import { cp } from "node:fs/promises";

const out = process.argv[2];
await build({
  entryPoints: { app: "src/main.js", panel: "src/panel-main.js" },
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "esm",
  target: "es2021",
  loader: { ".css": "text" },
  outdir: out,
  logLevel: "warning",
});
await cp("static", out, { recursive: true });
