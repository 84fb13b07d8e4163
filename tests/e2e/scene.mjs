// A short clip and stills for the mock: a counter, somebody who walks up, a clock in the picture.
// Made with ffmpeg when the test begins; nothing is stored in the project.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const clipSeconds = 42;
export const clipBegins = Date.parse("2026-03-10T11:02:58.000Z");

const font = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
const text = (what, more) => `drawtext=fontfile=${font}:text='${what}':${more}`;

// The customer comes at 4 s, stands at the panel from 10 s to 34 s, leaves.
const walk = "if(lt(t,4),-200,if(lt(t,10),-200+(t-4)*95,if(lt(t,34),370+6*sin(t*2),370+(t-34)*110)))";

const filters = [
  "drawbox=x=0:y=0:w=iw:h=210:color=0xdfe4e6:t=fill",
  "drawbox=x=60:y=40:w=210:h=120:color=0xb7cbd6:t=fill",
  "drawbox=x=700:y=30:w=200:h=150:color=0xc8b79f:t=fill",
  text("●", "fontsize=120:fontcolor=0xe0b48f:x=640:y=120"),
  "drawbox=x=634:y=232:w=92:h=140:color=0x2f5d50:t=fill",
  text("●", `fontsize=130:fontcolor=0xd9a77d:x='${walk}':y=150`),
  text("█", `fontsize=150:fontcolor=0x7a3b46:x='${walk}-6':y=262`),
  text("█", `fontsize=150:fontcolor=0x303a52:x='${walk}-6':y=390`),
  "drawbox=x=540:y=360:w=420:h=180:color=0x8a6d4b:t=fill",
  "drawbox=x=540:y=350:w=420:h=16:color=0xb08d63:t=fill",
  "drawbox=x=560:y=310:w=70:h=44:color=0x222a31:t=fill",
  "drawbox=x=568:y=318:w=54:h=28:color=0x5c6b78:t=fill",
  text(`%{pts\\:gmtime\\:${clipBegins / 1000 + 3 * 3600}}`, "fontsize=22:fontcolor=white:box=1:boxcolor=black@0.5:boxborderw=6:x=w-tw-16:y=h-th-16"),
].join(",");

const ffmpeg = (...args) => run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...args]);

const fileOf = async (path, type) => {
  const data = await readFile(path);
  return { data, type, sha256: createHash("sha256").update(data).digest("hex") };
};

/** {clip, stills} in memory; seconds: where in the clip the stills are taken. */
export async function makeScene(dir, seconds) {
  const clip = join(dir, "clip.mp4");
  await ffmpeg("-f", "lavfi", "-i", `color=c=0x9aa5ab:s=960x540:r=15:d=${clipSeconds}`, "-vf", filters,
    "-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-g", "30", "-pix_fmt", "yuv420p", "-movflags", "+faststart", clip);
  const stills = [];
  for (const at of seconds) {
    const still = join(dir, `still-${at}.jpg`);
    await ffmpeg("-ss", String(at), "-i", clip, "-frames:v", "1", "-q:v", "4", still);
    stills.push(await fileOf(still, "image/jpeg"));
  }
  return { clip: await fileOf(clip, "video/mp4"), stills };
}
