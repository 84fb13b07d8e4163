// Clips and viewing copies as browsers play them: which frame is shown when, and how far the sound is off.
// Each picture has its number in it, a beep sounds at every half second of the recording. Each browser is an
// ordinary process that opens a page of this test, measures, and sends back what it saw.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const begin = Date.parse("2026-03-10T14:03:20Z");
const beepEvery = 0.5;
const soundMs = 20;

// What a recorder may have written: 12 s each; two parts: the encoder was set anew in between.
const recordings = [
  { name: "b", format: "mp4", fps: 25, video: "libx264 -preset ultrafast -bf 3 -b_strategy 0 -g 50", audio: "aac", direct: true },
  { name: "open", format: "ts", fps: 15, video: "libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 30 -x264-params open-gop=1", audio: "aac", direct: true },
  { name: "anew", format: "mp4", fps: 25, video: "libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 50", then: "libx264 -preset medium -bf 2 -g 50", audio: "aac", direct: true },
  { name: "g711", format: "mkv", fps: 30, video: "libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 30", audio: "pcm_alaw -ar 8000", direct: false },
  { name: "hevc", format: "mp4", fps: 12.5, video: "libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=none:bframes=3:keyint=25", audio: "aac", direct: false },
];

let dir;
let server;
const files = []; // {name, path, seeks, numbers, sound}

const words = (text) => text.split(" ").filter(Boolean);
const ffmpeg = (...args) => run("ffmpeg", ["-v", "error", "-nostdin", "-y", "-threads", "1", ...args], { cwd: dir });
const okno = (...args) => run(program, ["--data", join(dir, "data"), ...args]);

/** A numbered picture and a beep at every half second. */
function scene(fps, from, seconds) {
  const side = 16;
  const boxes = ["drawbox=y=80:h=16:c=black:t=fill"];
  for (let bit = 0; bit < 12; bit++) {
    boxes.push(`drawbox=x=${bit * side}:y=80:w=${side}:h=16:c=white:t=fill:enable='gte(mod(n+${Math.round(from * fps)},${2 ** (bit + 1)}),${2 ** bit})'`);
  }
  return ["-f", "lavfi", "-i", `testsrc2=s=192x96:r=${fps}:d=${seconds},${boxes.join(",")}`,
    "-f", "lavfi", "-i", `aevalsrc='if(lt(mod(t,${beepEvery}),0.05),0.8*sin(2*PI*1000*t),0)':s=48000:d=${seconds}`];
}

const stamp = (seconds) => new Date(begin + seconds * 1000).toISOString().slice(0, 19).replaceAll(":", "-");

async function record({ name, format, fps, video, then, audio }) {
  const folder = join(dir, "archive", name);
  await mkdir(folder, { recursive: true });
  const parts = then ? [[0, 6, video], [6, 6, then]] : [[0, 12, video]];
  for (const [from, seconds, codec] of parts) {
    await ffmpeg(...scene(fps, from, seconds), "-pix_fmt", "yuv420p", "-sc_threshold", "0", "-c:v", ...words(codec),
      "-c:a", ...words(audio), join(folder, `${stamp(from)}.${format}`));
  }
}

async function shop() {
  await okno("init");
  const tables = {
    sites: ["site,name,time_zone", "S,Shop,UTC"],
    archives: ["archive,kind,url,files", ...recordings.map(({ name, format }) => `${name},dir,${dir}/archive,{channel}/%Y-%m-%dT%H-%M-%S.${format}`)],
    cameras: ["camera,site,archive,channel", ...recordings.map(({ name }) => `${name},S,${name},${name}`)],
  };
  for (const [kind, lines] of Object.entries(tables)) {
    await writeFile(join(dir, `${kind}.csv`), `${lines.join("\n")}\n`);
    await okno("import", kind, join(dir, `${kind}.csv`));
  }
}

/** Presentation times of a file's frames, seconds from its first, as ffprobe reads them. */
async function frameTimes(path) {
  const { stdout } = await run("ffprobe", ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0", path]);
  const times = words(stdout.replaceAll(/[\n,]/gu, " ")).map(Number).sort((a, b) => a - b);
  return times.map((time) => time - times[0]);
}

/** What a file must show: the frame of each moment, and beeps. */
async function expected(name, path, recording, firstAt) {
  const times = await frameTimes(path);
  const { fps } = recording;
  const first = Math.round((Date.parse(firstAt) - begin) / 1000 * fps);
  const count = times.length;
  const numberAt = (i) => first + Math.round(times[i] * fps);
  const picks = [0, 1, 2, 3, count >> 1, (count >> 1) + 1, count - 3, count - 1, 0];
  return {
    name, path, first,
    seeks: picks.map((i) => ({ seconds: times[i] + 0.5 / fps, number: numberAt(i) })),
    firstBeep: beepEvery * Math.ceil(first / fps / beepEvery) - first / fps,
  };
}

async function cut(recording) {
  const { name, direct } = recording;
  const [clip, view] = [`${name}.mp4`, `${name}.view.mp4`].map((file) => join(dir, file));
  const { stdout } = await okno("clip", "--camera", name, "--from", new Date(begin + 4300).toISOString(), "--to", new Date(begin + 6900).toISOString(),
    "--audio", "-o", clip, "--view", view, "--json");
  const { got_from: at } = JSON.parse(stdout);
  if (direct) files.push(await expected(`${name}.mp4`, clip, recording, at));
  files.push(await expected(`${name}.view.mp4`, view, recording, at));
}

/** Beside ours, a plain file of ffmpeg's with lossless sound from 0 on: how late the measurement itself is. */
async function reference() {
  const path = join(dir, "reference.mp4");
  await ffmpeg(...scene(25, 0, 4), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac", "-strict", "-2", path);
  files.push(await expected("reference.mp4", path, { fps: 25 }, new Date(begin).toISOString()));
}

const page = `<!doctype html><meta charset="utf-8"><title>playback</title><body><script type="module" src="/page.js"></script>`;

async function sendFile(request, response, path) {
  const { size } = await stat(path);
  const [, from = 0, to = size - 1] = /^bytes=(\d+)-(\d+)?$/u.exec(request.headers.range ?? "") ?? [];
  response.writeHead(request.headers.range ? 206 : 200, {
    "content-type": "video/mp4", "accept-ranges": "bytes", "content-length": to - from + 1,
    ...request.headers.range && { "content-range": `bytes ${from}-${to}/${size}` },
  });
  createReadStream(path, { start: Number(from), end: Number(to) }).on("error", () => response.destroy()).pipe(response);
}

/** One server a browser: {url, seen}, seen is what its page sends. */
async function serve() {
  let tell;
  const seen = new Promise((resolve) => { tell = resolve; });
  const own = createServer(async (request, response) => {
    const file = files.find(({ name }) => request.url === `/${name}`);
    if (file) return sendFile(request, response, file.path);
    if (request.url === "/seen") {
      const parts = [];
      for await (const part of request) parts.push(part);
      tell(JSON.parse(Buffer.concat(parts)));
      return response.end();
    }
    const [type, body] = request.url === "/" ? ["text/html", page]
      : request.url === "/page.js" ? ["text/javascript", await readFile(new URL("playback-page.js", import.meta.url))]
        : ["application/json", JSON.stringify(files.map(({ name, first, seeks }) => ({ name, first, seeks })))];
    response.writeHead(request.url === "/favicon.ico" ? 404 : 200, { "content-type": type }).end(body);
  });
  own.listen(0, "127.0.0.1");
  await once(own, "listening");
  return { url: `http://127.0.0.1:${own.address().port}/`, seen, close: () => { own.closeAllConnections(); own.close(); } };
}

const browsers = {
  async chromium(home, url) {
    return [process.env.OKNO_CHROMIUM ?? "/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required", `--user-data-dir=${home}`, url];
  },
  async firefox(home, url) {
    const settings = {
      "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0, "browser.shell.checkDefaultBrowser": false, "browser.aboutwelcome.enabled": false,
      "datareporting.policy.dataSubmissionEnabled": false, "toolkit.telemetry.reportingpolicy.firstRun": false, "app.update.enabled": false,
      "network.captive-portal-service.enabled": false, "network.connectivity-service.enabled": false, "app.normandy.enabled": false,
      "browser.startup.homepage_override.mstone": "ignore", "services.settings.server": "http://127.0.0.1:1/",
    };
    await writeFile(join(home, "user.js"), Object.entries(settings).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(""));
    return [process.env.OKNO_FIREFOX ?? "/usr/bin/firefox-esr", "--headless", "--no-remote", "--profile", home, url];
  },
};

/** Everything that a browser sees of all files. */
async function watch(name) {
  const home = join(dir, name);
  await mkdir(home);
  const own = await serve();
  const [command, ...args] = await browsers[name](home, own.url);
  const browser = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: home } });
  const said = [];
  browser.stderr.on("data", (part) => said.push(part));
  const gone = once(browser, "exit").then(([code]) => ({ error: `${name} ended with ${code}: ${Buffer.concat(said)}` }));
  let patience;
  const late = new Promise((resolve) => { patience = setTimeout(() => resolve({ error: `${name} sends nothing: ${Buffer.concat(said)}` }), 120000); });
  const answer = await Promise.race([own.seen, gone, late]);
  clearTimeout(patience);
  browser.kill();
  await gone;
  own.close();
  assert.ok(!answer.error, answer.error);
  return answer;
}

const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** How many seconds later than their place the beeps come. */
const late = (file, seen) => middle(seen.beeps.map((at) => {
  const from = (at - file.firstBeep) / beepEvery;
  return (from - Math.round(from)) * beepEvery;
}));

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "okno-playback-"));
  for (const recording of recordings) await record(recording);
  await shop();
  await reference();
  for (const recording of recordings) await cut(recording);
});
after(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

const watched = {}; // both at once: most of the time they play
for (const name of Object.keys(browsers)) {
  test(`${name} shows each frame at its time, and sound beside it`, async (t) => {
    for (const one of Object.keys(browsers)) watched[one] ??= watch(one).catch((error) => ({ error }));
    const answer = await watched[name];
    assert.ifError(answer.error);
    const { seen } = answer;
    const base = late(files[0], seen["reference.mp4"]);
    for (const file of files) {
      const one = seen[file.name];
      assert.ok(!one.error, `${file.name}: ${one.error}`);
      const off = (late(file, one) - base) * 1000;
      t.diagnostic(`${file.name}: first ${one.first - file.first}, last ${one.shown.at(-2) - file.seeks.at(-2).number} frames off, sound ${off.toFixed(1)} ms (${one.beeps.length} beeps ${answer.plays ? "played" : "decoded"})`);
    }
    for (const file of files) {
      const one = seen[file.name];
      assert.equal(one.first, file.first, `${file.name}: the first frame`);
      assert.deepEqual(one.shown, file.seeks.map(({ number }) => number), `${file.name}: frames by time`);
      assert.ok(one.beeps.length >= 5, `${file.name}: ${one.beeps.length} beeps`);
      assert.ok(Math.abs(late(file, one) - base) * 1000 <= soundMs, `${file.name}: sound is off`);
    }
  });
}
