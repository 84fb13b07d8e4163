// How long somebody really looked: wall time, and active time (page visible, and a sign of life in
// the last half minute or the video playing). Signs of life are listened for on the whole window.

const restAfterMs = 30000;
const leaveAfterMs = 120000;
const signs = ["keydown", "pointerdown", "pointermove", "wheel"];

export class Attention {
  constructor(isPlaying) {
    this.isPlaying = isPlaying;
    this.note = () => { this.lastSign = performance.now(); };
    this.restart();
  }

  start() {
    for (const sign of signs) addEventListener(sign, this.note, { passive: true });
    this.timer = setInterval(() => this.count(), 500);
  }

  stop() {
    for (const sign of signs) removeEventListener(sign, this.note);
    clearInterval(this.timer);
  }

  /** A new item: both times begin at zero. */
  restart() {
    this.began = this.counted = this.lastSign = performance.now();
    this.activeMs = 0;
  }

  isAwake() {
    return document.visibilityState === "visible" &&
      (performance.now() - this.lastSign < restAfterMs || this.isPlaying());
  }

  /** Somebody is here: a playing video alone must not keep an item for ever. */
  isPresent() {
    return document.visibilityState === "visible" && performance.now() - this.lastSign < leaveAfterMs;
  }

  count() {
    const now = performance.now();
    // A computer that slept makes one long step: nobody was looking.
    if (this.isAwake() && now - this.counted < 5000) this.activeMs += now - this.counted;
    this.counted = now;
  }

  /** Seconds with one digit, as the service stores them. */
  figures() {
    this.count();
    const seconds = (ms) => Math.round(ms / 100) / 10;
    return { active_s: seconds(this.activeMs), wall_s: seconds(performance.now() - this.began) };
  }
}
