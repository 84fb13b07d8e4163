// Bundle the page: build.mjs OUT
import { build } from "esbuild";
import { cp } from "node:fs/promises";

const out = process.argv[2];
await build({
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  charset: "utf8",
  charset: "utf8",
  format: "esm",
  target: "es2021",
  outfile: `${out}/app.js`,
  logLevel: "warning",
});
await cp("static", out, { recursive: true });
