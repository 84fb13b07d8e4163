// A manager's way from a figure to the picture behind it, on the real service (OKNO_URL).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitPlayed } from "./browser.mjs";

const { OKNO_URL: url, OKNO_MANAGER_PASSWORD: password } = process.env;

after(closeBrowser);

test("from an index to its excluded surveys, and to the video of one", { skip: !url || !password }, async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url, user: "manager", password });
  await page.locator("okno-dumbbell").first().waitFor();
  await shoot(page, "manager-indicators");
  await page.locator("okno-indicators a.reason").first().click();
  const photo = page.locator("okno-surveys td.photo img").first();
  await photo.evaluate((image) => image.decode());
  assert.ok(await photo.evaluate((image) => image.naturalWidth > 0), "the photo is there");
  await shoot(page, "manager-surveys");
  await page.locator("okno-surveys td.photo a").first().click();
  await waitPlayed(page, 0.3);
  await page.locator("okno-dossier okno-verdict", { hasText: "invalid" }).first().waitFor();
  await shoot(page, "manager-dossier");
  assert.deepEqual(faults, []);
  await close();
});
