// The clip's seconds as a line: press, window, the moment (not the kind) of the answer, gaps,
// playhead. A click, a drag or the arrow keys move to a moment.
import { css, html, svg, nothing } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";
import { formatNumber } from "./format.js";

const stepFor = (seconds) => [1, 2, 5, 10, 20, 30, 60, 120].find((step) => seconds / step <= 8) ?? 300;

class OknoTimeline extends OknoElement {
  static properties = { from: {}, to: {}, survey: { attribute: false }, gaps: { attribute: false }, seconds: { type: Number } };

  static styles = [OknoElement.styles, css`
    :host { touch-action: none; user-select: none; }
    .line { display: block; position: relative; height: 3.5rem; cursor: pointer; border-radius: .25rem; }
    svg { display: block; width: 100%; height: 100%; overflow: visible; font-size: .6875rem; }
    text { fill: var(--muted); }
    .track { fill: var(--sunken); }
    .window { fill: var(--accent-soft); stroke: var(--accent); stroke-width: 1; }
    .window-name { fill: var(--accent); font-weight: 500; }
    .mark { stroke: var(--text); stroke-width: 2; }
    .mark-name { fill: var(--text); font-weight: 500; }
    .gap { fill: var(--muted); opacity: .45; }
    .tick { stroke: var(--line); }
    .head { stroke: var(--accent); stroke-width: 2; }
    .knob { fill: var(--accent); }
  `];

  get length() { return Math.max(0.001, (Date.parse(this.to) - Date.parse(this.from)) / 1000); }

  /** Seconds in the clip of a moment in UTC. */
  secondsOf(at) { return (Date.parse(at) - Date.parse(this.from)) / 1000; }

  percent(seconds) { return `${(Math.min(1, Math.max(0, seconds / this.length)) * 100).toFixed(3)}%`; }

  span(from, to, y, height, name) {
    const start = Math.max(0, from);
    const width = Math.max(0, Math.min(to, this.length) - start);
    return svg`<rect class=${name} x=${this.percent(start)} y=${y} height=${height} width=${this.percent(width)} rx=".125rem"></rect>`;
  }

  seek(event) {
    const box = this.renderRoot.querySelector(".line").getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    this.emit("seek", { seconds: share * this.length });
  }

  pointed(event) {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    if (event.type === "pointerdown" || event.buttons & 1) this.seek(event);
  }

  keyed(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.emit("seek", { seconds: (this.seconds ?? 0) + by });
  }

  renderTicks(press) {
    const step = stepFor(this.length);
    const ticks = [];
    for (let at = -Math.floor(press / step) * step; press + at <= this.length; at += step) ticks.push(at);
    return ticks.map((at) => svg`
      <line class="tick" x1=${this.percent(press + at)} x2=${this.percent(press + at)} y1="2.375rem" y2="2.6875rem"></line>
      <text x=${this.percent(press + at)} y="3.375rem" text-anchor=${this.anchor(press + at)}>${this.tickName(at)}</text>`);
  }

  anchor(seconds) {
    const share = seconds / this.length;
    return share < 0.04 ? "start" : share > 0.96 ? "end" : "middle";
  }

  tickName(at) {
    return t("timeline.seconds", { n: at > 0 ? `+${formatNumber(at)}` : formatNumber(at) });
  }

  renderMarks(press, close, answer) {
    return svg`
      <line class="mark" x1=${this.percent(press)} x2=${this.percent(press)} y1=".25rem" y2="2.25rem"></line>
      <text class="mark-name" x=${this.percent(press)} dx="-.375rem" y=".75rem" text-anchor="end">${t("timeline.press")}</text>
      ${this.renderWindowName(press, close, answer)}
      ${answer === null ? nothing : svg`
        <line class="mark" x1=${this.percent(answer)} x2=${this.percent(answer)} y1=".25rem" y2="2.25rem"></line>
        <text class="mark-name" x=${this.percent(answer)} dx=".375rem" y=".75rem">${t("timeline.answer")}</text>`}`;
  }

  /** Inside the window, on the side where the answer leaves more room. */
  renderWindowName(press, close, answer) {
    const atEnd = answer !== null && answer - press < (close - press) / 2;
    return svg`<text class="window-name" x=${this.percent(atEnd ? close : press)} dx=${atEnd ? "-.375rem" : ".375rem"}
      y="1.875rem" text-anchor=${atEnd ? "end" : "start"}>${t("timeline.window", { seconds: formatNumber(close - press) })}</text>`;
  }

  render() {
    const { survey } = this;
    const press = this.secondsOf(survey.opened_at);
    const close = this.secondsOf(survey.closes_at);
    const answer = survey.answered_at ? this.secondsOf(survey.answered_at) : null;
    const head = this.percent(this.seconds ?? 0);
    const fromPress = (this.seconds ?? 0) - press;
    return html`
      <div class="line" role="slider" tabindex="0" aria-label=${t("timeline.label")}
        aria-valuemin=${(-press).toFixed(1)} aria-valuemax=${(this.length - press).toFixed(1)}
        aria-valuenow=${fromPress.toFixed(1)} aria-valuetext=${t("timeline.seconds", { n: formatNumber(fromPress, 1) })}
        @pointerdown=${this.pointed} @pointermove=${this.pointed} @keydown=${this.keyed}>
        <svg aria-hidden="true">
          <rect class="track" x="0" y="1.125rem" width="100%" height="1.125rem" rx=".125rem"></rect>
          ${this.span(press, close, "1.125rem", "1.125rem", "window")}
          ${(this.gaps ?? []).map(([from, to]) => this.span(this.secondsOf(from), this.secondsOf(to), "1.125rem", "1.125rem", "gap"))}
          ${this.renderMarks(press, close, answer)}
          ${this.renderTicks(press)}
          <line class="head" x1=${head} x2=${head} y1=".875rem" y2="2.5rem"></line>
          <circle class="knob" cx=${head} cy=".875rem" r=".25rem"></circle>
        </svg>
      </div>`;
  }
}
customElements.define("okno-timeline", OknoTimeline);
