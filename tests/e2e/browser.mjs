// A browser for a test: Debian's Chromium, a fresh profile, no connection but to the service.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
export const shots = join(process.env.OKNO_BUILD ?? "build", "e2e");

let launched;

/** One browser a test file, with a profile of its own that leaves with it. */
const launch = () => launched ??= chromium.launch({ executablePath: process.env.OKNO_CHROMIUM ?? "/usr/bin/chromium", args, headless: true });

export async function closeBrowser() {
  await (await launched)?.close();
}

/** {context, page, faults, close}: a fresh session; faults collects errors of the page and refusals by its policy. */
export async function openBrowser({ width = 1280, height = 800, dark = false, language = "en-GB", script = true, plain = false } = {}) {
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", locale: language, javaScriptEnabled: script, serviceWorkers: plain ? "block" : "allow" });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (401|404|409)/.test(message.text())) faults.push(message.text());
  });
  await mkdir(shots, { recursive: true });
  return { context, page, faults, close: () => context.close() };
}

export const shoot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`) });

export async function logIn(page, { url, user, password }) {
  await page.goto(url);
  await page.locator("input[name=user]").fill(user);
  await page.locator("input[name=password]").fill(password);
  await page.keyboard.press("Enter");
  await page.locator("okno-header").waitFor();
}

/** The middle of the video's frame, read back through a canvas: the spread of its brightness. */
export const readFrame = (page) => page.locator("okno-player video").evaluate((video) => {
  const canvas = document.createElement("canvas");
  canvas.width = 64;
  canvas.height = 36;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  const { data } = context.getImageData(0, 0, 64, 36);
  const light = [];
  for (let at = 0; at < data.length; at += 4) light.push((data[at] + data[at + 1] + data[at + 2]) / 3);
  return { darkest: Math.min(...light), brightest: Math.max(...light), width: video.videoWidth, seconds: video.currentTime };
});

/** Wait until the video has moved on by at least so many seconds, playing. */
export const waitPlayed = async (page, seconds) => {
  const video = page.locator("okno-player video");
  await video.waitFor();
  await video.evaluate((element, step) => new Promise((resolve, reject) => {
    const begin = element.currentTime;
    element.addEventListener("timeupdate", () => { if (!element.seeking && element.currentTime > begin + step) resolve(); });
    element.addEventListener("error", () => reject(new Error(`video: ${element.error?.message}`)));
  }), seconds);
};

/** Ask the page frame by frame until look(argument) is truthy there, and return that. (The driver's own
 * waiting function needs eval, which the page's policy forbids.) */
export async function waitUntil(page, look, argument, patienceMs = 15000) {
  const end = Date.now() + patienceMs;
  for (;;) {
    const seen = await page.evaluate(look, argument);
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`waited in vain for ${look}`);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** What leaves the page by itself: begin before the act, then await the function that this returns. */
export async function glimpse(page, selector, text = "") {
  const sight = `${selector} ${text}`;
  await page.evaluate(([key, wanted, words]) => {
    window.glimpsed = { ...window.glimpsed, [key]: false };
    new MutationObserver(() => {
      if ([...document.querySelectorAll(wanted)].some((one) => one.textContent.includes(words))) window.glimpsed[key] = true;
    }).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributes: true });
  }, [sight, selector, text]);
  return () => waitUntil(page, (key) => window.glimpsed[key], sight);
}

/** The same as waitUntil for something that happens outside the page. */
export async function waitHere(page, look, patienceMs = 15000) {
  const end = Date.now() + patienceMs;
  while (!look()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${look}`);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}
