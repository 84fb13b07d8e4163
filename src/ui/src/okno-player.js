// The picture: a clip with its timeline and keys, or a still, or what is known when there is neither.
// Counts the seconds really played.
import { css, html, nothing } from "lit";
import { refusalOf } from "./api.js";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";
import { formatClockMs, formatWhen, zoneName } from "./time.js";
import "./okno-timeline.js";

const defaultFrameSeconds = 0.04;
/** What the service says of a file that is no longer what it was. */
const brokenWords = new Map([["check_failed", "review.video_changed"], ["gone", "review.video_gone"]]);
/** Set where somebody's line is too slow for whole clips. */
const previewKey = "okno.preview";

// Buttons under the timeline; two commands that belong together share their word.
const controls = [
  { text: "player.play", keys: [{ key: " ", cap: "␣", command: "toggle", text: "player.play" }] },
  { text: "player.frame", keys: [
    { key: ",", cap: ",", command: "frameBack", text: "player.frame_back" },
    { key: ".", cap: ".", command: "frameForward", text: "player.frame_forward" }] },
  { text: "player.five", keys: [
    { key: "j", cap: "J", command: "back", text: "player.back" },
    { key: "l", cap: "L", command: "forward", text: "player.forward" }] },
  { text: "player.window", keys: [{ key: "[", cap: "[", command: "toWindow", text: "player.window" }] },
  { text: "player.loop", keys: [{ key: "]", cap: "]", command: "toggleLoop", text: "player.loop", pressed: "looping" }] },
  { text: "player.overlay", keys: [{ key: "o", cap: "O", command: "toggleOverlay", text: "player.overlay", pressed: "overlay" }] },
  { text: "player.preview", keys: [{ key: "p", cap: "P", command: "togglePreview", text: "player.preview_long", pressed: "preview" }] },
];
const commands = new Map(controls.flatMap((control) => control.keys).map(({ key, command }) => [key, command]));

class OknoPlayer extends OknoElement {
  static properties = {
    clip: { attribute: false }, survey: { attribute: false }, still: { attribute: false },
    poster: { attribute: false }, waiting: { state: true }, seconds: { state: true }, playing: { state: true }, looping: { state: true },
    overlay: { state: true }, broken: { state: true }, refusal: { state: true }, copyWanted: { state: true }, preview: { state: true },
  };

  static styles = [OknoElement.styles, css`
    .stage {
      position: relative; background: #05070a; border-radius: .5rem; overflow: hidden;
      aspect-ratio: 16 / 9; width: 100%; max-height: var(--stage-height, none);
    }
    video, .still { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; display: block; }
    .still { background: #05070a; }
    .words {
      position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: .5rem;
      text-align: center; padding: 1.5rem; color: #c4cdd6;
    }
    .note { position: absolute; left: .5rem; right: .5rem; bottom: .5rem; text-align: center; }
    .note span, .clock { background: rgb(5 7 10 / .74); color: #fff; border-radius: .25rem; padding: .125rem .5rem; }
    .clock { position: absolute; left: .5rem; top: .5rem; font-variant-numeric: tabular-nums; }
    .coming { position: absolute; left: .5rem; right: .5rem; top: 45%; text-align: center; animation: coming 0s .4s both; }
    .coming span { background: rgb(5 7 10 / .74); color: #fff; border-radius: .25rem; padding: .25rem .75rem; }
    @keyframes coming { from { visibility: hidden; } to { visibility: visible; } }
    .copy { position: absolute; right: .5rem; bottom: .5rem; background: rgb(5 7 10 / .74); color: #fff; border-radius: .25rem; padding: .125rem .5rem; font-size: .75rem; }
    .sheet { display: block; width: 100%; padding: 0; min-height: 0; border: 0; margin-top: .25rem; cursor: pointer; }
    .sheet img { display: block; width: 100%; height: 2.5rem; object-fit: fill; border-radius: .25rem; }
    .controls { display: flex; flex-wrap: wrap; gap: .25rem .5rem; margin-top: .25rem; }
    .control { display: inline-flex; }
    .controls button { min-height: 1.75rem; font-size: .75rem; padding: .125rem .375rem; }
    .controls button[aria-pressed="true"] { color: var(--accent); border-color: var(--accent); }
    okno-timeline { margin-top: .5rem; }
    @media (max-width: 40rem) { .controls { gap: 0; justify-content: space-between; } .controls .word { display: none; } .controls kbd { min-width: 1.75rem; padding: .375rem; } }
  `];

  constructor() {
    super();
    this.overlay = false;
    this.preview = localStorage.getItem(previewKey) !== null;
    this.reset();
  }

  reset() {
    this.seconds = 0;
    this.copyWanted = this.sheetMissing = false;
    this.playing = this.looping = this.broken = false;
    this.playedSeconds = 0;
    this.lastCounted = null;
    this.frameSeconds = defaultFrameSeconds;
    this.frameAt = this.resumeAt = null;
    this.shown = this.refusal = null;
    this.waiting = true;
  }

  willUpdate(changed) {
    const before = changed.get("clip");
    if (changed.has("clip") && before?.url !== this.clip?.url) this.reset();
    if (changed.has("still") && this.still) this.pause();
  }

  get video() { return this.renderRoot.querySelector("video"); }

  /** The time of the frame that is shown. */
  get shownAt() { return new Date(Date.parse(this.clip.got_from) + Math.round((this.frameAt ?? this.seconds) * 1000)).toISOString(); }

  secondsOf(at) { return (Date.parse(at) - Date.parse(this.clip.got_from)) / 1000; }

  // Commands: one for each key.
  toggle() { return this.playing ? this.pause() : this.play(); }
  play() {
    // Refused autoplay is no fault: the user presses the key.
    this.video?.play().catch(() => {});
  }
  pause() { this.video?.pause(); }
  back() { this.seek(this.seconds - 5); }
  forward() { this.seek(this.seconds + 5); }
  frameBack() { this.stepFrame(-1); }
  frameForward() { this.stepFrame(1); }
  toWindow() { this.seek(this.secondsOf(this.survey.opened_at)); }
  toggleLoop() {
    this.looping = !this.looping;
    if (this.looping) this.toWindow();
  }
  toggleOverlay() { this.overlay = !this.overlay; }
  togglePreview() {
    this.preview = !this.preview;
    if (this.preview) localStorage.setItem(previewKey, "");
    else localStorage.removeItem(previewKey);
    this.resumeAt = this.seconds;
    this.broken = false;
    this.waiting = true;
  }

  /** Do what a key asks; false when the key is not the player's. */
  command(key) {
    if (!commands.has(key) || !this.clip) return false;
    this[commands.get(key)]();
    return true;
  }

  seek(seconds) {
    if (!this.video) return;
    this.video.currentTime = Math.min(Math.max(0, seconds), this.video.duration || 0);
  }

  /** To the middle of the next frame, so that rounding cannot land beside it. */
  stepFrame(by) {
    this.pause();
    this.seek((this.frameAt ?? this.seconds) + (by + 0.5) * this.frameSeconds);
  }

  loaded() {
    if (!this.clip) return;
    this.waiting = false;
    this.seek(this.resumeAt ?? (this.clip.view_offset_ms ?? 0) / 1000);
    this.resumeAt = null;
    this.watchFrames();
    this.play();
  }

  /** Follow each shown frame where the browser can; timeupdate serves elsewhere. */
  watchFrames() {
    const { video } = this;
    if (!video?.requestVideoFrameCallback) return;
    video.requestVideoFrameCallback((now, { mediaTime }) => {
      if (video !== this.video) return;
      this.frameShown(mediaTime);
      this.watchFrames();
    });
  }

  frameShown(mediaTime) {
    const step = mediaTime - (this.frameAt ?? mediaTime);
    if (this.playing && step > 0.005 && step < 0.25) this.frameSeconds = step;
    this.frameAt = mediaTime;
    this.moved(mediaTime);
  }

  timeUpdated() {
    if (!this.clip || !this.video) return;
    this.countPlayed();
    if (!this.video.requestVideoFrameCallback) this.moved(this.video.currentTime);
  }

  moved(seconds) {
    this.seconds = seconds;
    if (this.looping && this.playing && seconds >= this.secondsOf(this.survey.closes_at)) this.toWindow();
  }

  countPlayed() {
    const { video } = this;
    if (!video) return;
    if (video.seeking) {
      this.lastCounted = null;
      return;
    }
    const step = video.currentTime - (this.lastCounted ?? video.currentTime);
    if (step > 0 && step < 2) this.playedSeconds += step;
    this.lastCounted = video.currentTime;
  }

  /** Bring playedSeconds up to this moment. */
  settle() {
    if (this.clip && this.video) this.countPlayed();
  }

  /** A busy browser leaves out calls for frames that it did show: where it stopped, the time tells. */
  stopped() {
    const missed = Math.floor((this.video.currentTime - this.frameAt) / this.frameSeconds + 0.01);
    const known = this.frameAt !== null && this.frameSeconds !== defaultFrameSeconds;
    if (known && missed > 0 && !this.video.seeking) this.frameShown(this.frameAt + missed * this.frameSeconds);
  }

  /** A film that has just left the page may still say that it stopped. */
  playStateChanged() {
    if (!this.clip || !this.video) return;
    this.playing = !this.video.paused && !this.video.ended;
    if (this.video.paused) this.stopped();
    this.countPlayed();
    if (this.playing) this.emit("watched", { sha256: this.clip.sha256 });
  }

  /** Whether what is played is made when it is asked for and not there yet. */
  get isCopy() { return this.preview || Boolean(this.clip.view) || this.copyWanted; }

  /** The address of what is played: a viewing copy where the file itself cannot or may not be. */
  get source() {
    if (this.preview) return this.clip.url.replace(/\.mp4$/u, ".preview.mp4");
    if (this.clip.view) return this.clip.view.url;
    return this.copyWanted ? this.clip.url.replace(/\.mp4$/u, ".view.mp4") : this.clip.url;
  }

  /** A browser may lack what the codec's name promises: then a viewing copy is asked for, once. */
  failed() {
    if (!this.clip) return;
    this.playing = false;
    this.waiting = !this.isCopy;
    if (this.isCopy) this.broke(this.source);
    else this.copyWanted = true;
  }

  /** A browser does not say why: a file that was changed or is gone is no film that it cannot play. */
  async broke(source) {
    this.broken = true;
    const refusal = await refusalOf(source);
    if (this.clip && this.source === source) this.refusal = refusal;
  }

  renderVideo() {
    return html`
      <video src=${this.source} muted .muted=${true} playsinline preload="auto"
        aria-label=${t("player.video", { when: formatWhen(this.survey.opened_at, this.survey.time_zone) })}
        poster=${this.poster ?? nothing}
        @loadedmetadata=${this.loaded} @timeupdate=${this.timeUpdated} @seeking=${this.countPlayed}
        @play=${this.playStateChanged} @playing=${this.playStateChanged} @pause=${this.playStateChanged}
        @ended=${this.playStateChanged} @error=${this.failed} @click=${this.toggle}></video>
      ${this.broken ? html`<div class="words" role="alert">${this.brokenText()}</div>` : nothing}
      ${this.waiting && !this.still ? this.renderComing() : nothing}
      ${this.overlay && !this.broken ? this.renderClock() : nothing}
      ${this.broken ? nothing : this.renderCopyNote()}`;
  }

  brokenText() { return t(brokenWords.get(this.refusal?.code) ?? "review.video_broken"); }

  /** Said only to whom it takes long: a copy is made in seconds where none was made ahead. */
  renderComing() {
    return html`<div class="coming" role="status"><span>${t(this.isCopy ? "player.copy_coming" : "player.coming")}</span></div>`;
  }

  /** Whoever looks at a copy is told so. */
  renderCopyNote() {
    const why = this.preview ? "preview" : this.clip.view?.why ?? (this.copyWanted ? "codec" : "");
    return why ? html`<div class="copy">${t(`player.copy_${why}`)}</div>` : nothing;
  }

  /** Frames of the clip from left to right; a click goes to that moment. */
  renderSheet() {
    const { sheet } = this.clip;
    if (!sheet || this.sheetMissing) return nothing;
    return html`<button class="sheet quiet" title=${t("player.sheet")} aria-label=${t("player.sheet")} @click=${this.seekInSheet}>
      <img src=${sheet.url} alt="" loading="lazy" @error=${() => { this.sheetMissing = true; this.requestUpdate(); }}></button>`;
  }

  seekInSheet(event) {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const { clip } = this;
    const lead = (clip.view_offset_ms ?? 0) / 1000;
    const span = this.secondsOf(clip.got_to) - lead;
    const tile = Math.min(clip.sheet.count - 1, Math.max(0, Math.floor((event.clientX - left) / width * clip.sheet.count)));
    this.seek(lead + (tile + 0.5) * span / clip.sheet.count);
  }

  renderClock() {
    const at = Date.parse(this.clip.got_from) + this.seconds * 1000;
    const zone = this.survey.time_zone;
    return html`<div class="clock">${formatClockMs(at, zone)} ${zoneName(at, zone)}<br>${formatClockMs(at, "UTC")} UTC</div>`;
  }

  renderStill(still) {
    return html`<img class="still" src=${still.url} alt=${still.alt} @load=${() => this.emit("watched", { sha256: still.sha256 })}>`;
  }

  renderControls() {
    return html`
      <okno-timeline .from=${this.clip.got_from} .to=${this.clip.got_to} .survey=${this.survey} .gaps=${this.clip.gaps}
        .seconds=${this.seconds} @seek=${(event) => this.seek(event.detail.seconds)}></okno-timeline>
      ${this.renderSheet()}
      <div class="controls">${controls.map((one) => this.renderControl(one))}</div>`;
  }

  renderControl({ text, keys }) {
    const word = t(text === "player.play" && this.playing ? "player.pause" : text);
    return html`<span class="control">${keys.map((one, index) => this.renderKey(one, index === keys.length - 1 ? word : ""))}</span>`;
  }

  renderKey(one, word) {
    const name = one.command === "toggle" ? word : t(one.text);
    return html`
      <button class="quiet" title=${name} aria-label=${name} aria-pressed=${one.pressed ? String(this[one.pressed]) : nothing}
        @click=${() => this[one.command]()}><kbd>${one.cap}</kbd>${word ? html`<span class="word">${word}</span>` : nothing}</button>`;
  }

  render() {
    if (!this.survey) return html`<div class="stage skeleton"></div>`;
    return html`
      <div class="stage">
        ${this.clip ? this.renderVideo() : nothing}
        ${this.still ? this.renderStill(this.still) : nothing}
        ${this.clip || this.still ? nothing : html`<div class="words"><slot name="none"></slot></div>`}
        <slot name="note"></slot>
      </div>
      ${this.clip ? this.renderControls() : nothing}`;
  }
}
customElements.define("okno-player", OknoPlayer);
