// Runs in each browser (playback.browser.mjs serves it): plays the listed files as the review page does, reads
// the number of the shown frame out of its picture and when the beeps come, and sends back what it saw.
const blocks = 12; // of the number, lowest bit first, in the lowest sixth of the picture
let plays; // whether sound can be played here
const context = new AudioContext({ sampleRate: 48000 });

const until = (target, name) => new Promise((resolve, reject) => {
  target.addEventListener(name, resolve, { once: true });
  target.addEventListener("error", () => reject(new Error(target.error?.message ?? "error")), { once: true });
});

const canvas = document.createElement("canvas");
canvas.width = blocks;
canvas.height = 6;
const brush = canvas.getContext("2d", { willReadFrequently: true });

/** The frame's own number, or -1 where the blocks are neither black nor white. */
function numberShown(video) {
  brush.fillStyle = "gray";
  brush.fillRect(0, 0, blocks, 6);
  brush.drawImage(video, 0, 0, blocks, 6);
  const { data } = brush.getImageData(0, 5, blocks, 1);
  let number = 0;
  for (let i = 0; i < blocks; i++) {
    if (data[4 * i] > 80 && data[4 * i] < 170) return -1;
    if (data[4 * i] > 128) number += 2 ** i;
  }
  return number;
}

/** The number in the picture: a browser may paint it a little after it says that it is there, not more. */
async function settle(video, number) {
  const end = performance.now() + 2000;
  while (numberShown(video) !== number && performance.now() < end) await new Promise(requestAnimationFrame);
  return numberShown(video);
}

async function seek(video, { seconds, number }) {
  const done = until(video, "seeked");
  video.currentTime = seconds;
  await done;
  return settle(video, number);
}

/** Where the beeps are in the sound as it is decoded, for a browser that plays none without a sound card (Firefox). */
async function beepsDecoded(name) {
  const bytes = await (await fetch(name)).arrayBuffer();
  const samples = (await context.decodeAudioData(bytes)).getChannelData(0);
  const heard = [];
  let last = -Infinity;
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]) < 0.1) continue;
    if (i - last > 0.2 * context.sampleRate) heard.push(i / context.sampleRate);
    last = i;
  }
  return heard;
}

/** Where the beeps are on the media's own clock: the sound is tapped on its way out. */
async function beepsPlayed(video) {
  const source = context.createMediaElementSource(video);
  const ear = new AudioWorkletNode(context, "ear");
  const heard = [];
  const apart = []; // media clock and the sound's, some hundred times
  ear.port.onmessage = ({ data }) => heard.push(data);
  source.connect(ear).connect(context.destination);
  const clock = setInterval(() => {
    if (!video.paused && video.currentTime > 0.3) apart.push(video.currentTime - context.currentTime);
  }, 5);
  await video.play();
  await until(video, "ended");
  clearInterval(clock);
  source.disconnect();
  apart.sort((a, b) => a - b);
  return heard.map((at) => at + apart[apart.length >> 1]);
}

async function look({ name, first, seeks }) {
  const video = document.createElement("video");
  video.preload = "auto";
  const ready = until(video, "loadeddata");
  video.src = name;
  document.body.append(video);
  await ready;
  const seen = { first: await settle(video, first), shown: [] };
  seen.beeps = await (plays ? beepsPlayed(video) : beepsDecoded(name));
  for (const where of seeks) seen.shown.push(await seek(video, where));
  video.remove();
  return seen;
}

const ear = `registerProcessor("ear", class extends AudioWorkletProcessor {
  process([[samples]]) {
    for (let i = 0; samples && i < samples.length; i++) {
      if (Math.abs(samples[i]) < 0.1) continue;
      const at = (currentFrame + i) / sampleRate;
      if (!(at - this.last < 0.2)) this.port.postMessage(at);
      this.last = at;
    }
    return true;
  }
});`;

const tell = (answer) => fetch("/seen", { method: "POST", body: JSON.stringify(answer) });

async function main() {
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([ear], { type: "text/javascript" })));
  plays = await Promise.race([context.resume().then(() => true), new Promise((resolve) => { setTimeout(resolve, 2000, false); })]);
  const seen = {};
  for (const file of await (await fetch("/files")).json()) {
    seen[file.name] = await look(file).catch((error) => ({ error: String(error) }));
  }
  await tell({ seen, plays });
}
main().catch((error) => tell({ error: String(error) }));
