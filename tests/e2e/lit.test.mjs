// Lit lies in the tree as one bundled file; this makes it again from the packages that its lock file pins.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";

const root = new URL("../../", import.meta.url);

test("src/ui/lit/lit.js is what the pinned packages give, byte for byte", async () => {
  const fresh = `${process.env.OKNO_BUILD}/e2e/lit.js`;
  await promisify(execFile)("tools/build-lit", [fresh], { cwd: root });
  assert.deepEqual(await readFile(fresh), await readFile(new URL("src/ui/lit/lit.js", root)));
});
