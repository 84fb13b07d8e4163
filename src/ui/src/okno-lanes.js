// A lane per point along one day: windows by answer (each answer in a row of its own, so that colour is not
// the only sign), ratings outside windows, force majeure, and what of it was recorded.
import { css, html, nothing, svg } from "lit";
import { OknoElement } from "./element.js";
import { formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { isTyping } from "./keys.js";
import { fitRange, footageSpans, moveRange, rangeOf, rangeText, ticks, zoomRange } from "./lanes.js";
import { answerOf } from "./okno-answer.js";
import { link } from "./router.js";
import { formatClock, zoneName } from "./time.js";
import "./okno-verdict.js";

const rows = ["yes", "no", "unsure", "silent"];
const signs = { yes: "+", no: "−", unsure: "±", silent: "○", open: "…" };
// In pixels of a page of ordinary size; drawn larger where the page is.
const gutter = 14; // for the signs of the rows
const rowHeight = 11;
const stripTop = rows.length * rowHeight + 3;
const laneHeight = stripTop + 8;
const leastWidth = 4;
const ms = Date.parse;

class OknoLanes extends OknoElement {
  // lanes as the service gives them; day: [from, to] in milliseconds; zone; range: "from-to" or ""; wanted(survey)
  static properties = {
    lanes: { attribute: false }, day: { attribute: false }, zone: {}, range: {}, wanted: { attribute: false }, names: { attribute: false },
    width: { state: true }, chosen: { state: true },
  };

  static styles = [OknoElement.styles, css`
    :host { outline: none; }
    .legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .75rem; color: var(--muted); align-items: center; margin-bottom: .5rem; }
    .legend svg { display: inline; width: auto; cursor: default; vertical-align: -1px; }
    .legend b { display: inline-block; min-width: 1.25em; text-align: center; }
    .amber { color: var(--amber); } .blue { color: var(--accent); } .red { color: var(--invalid); }
    .legend .tools { margin-left: auto; display: flex; gap: .25rem; align-items: center; }
    .legend button { min-height: 1.75rem; padding: .125rem .5rem; }
    .board { padding: .5rem .75rem .75rem; }
    .lane { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: .5rem; align-items: center; padding: .375rem 0; border-top: 1px solid var(--line); }
    .lane.axis { border: 0; padding: 0; }
    .name { font-size: .8125rem; overflow: hidden; text-overflow: ellipsis; }
    .name small { display: block; color: var(--muted); font-size: .6875rem; }
    svg { display: block; width: 100%; overflow: hidden; cursor: pointer; }
    .plot { position: relative; }
    svg:focus-visible { outline-offset: 0; }
    text { fill: var(--muted); font-size: 10px; font-variant-numeric: tabular-nums; }
    .grid { stroke: var(--line); stroke-width: 1; }
    .row { stroke: var(--line); stroke-width: .5; }
    .yes { fill: var(--valid); } .no { fill: var(--invalid); } .unsure { fill: var(--amber); }
    .silent, .open { fill: var(--surface); stroke: var(--muted); stroke-width: 1; }
    .invalid-mark { fill: none; stroke: var(--text); stroke-width: 1; stroke-dasharray: 2 1.5; }
    .faint { opacity: .18; }
    .late { fill: none; stroke: var(--amber); stroke-width: 1.5; }
    .rating { fill: none; stroke-width: 1.5; }
    .rating.yes { stroke: var(--valid); } .rating.no { stroke: var(--invalid); } .rating.unsure { stroke: var(--amber); }
    .fm { fill: var(--amber-soft); } .fm-edge { fill: var(--amber); }
    .recorded { fill: var(--accent); } .missing { fill: var(--invalid); } .unknown { fill: var(--sunken); }
    .chosen { fill: none; stroke: var(--accent); stroke-width: 2; }
    .detail { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: .25rem 1rem; align-items: center; padding: .5rem .75rem; margin-top: .75rem; min-height: 5rem; }
    .detail img, .detail .none { width: 7rem; aspect-ratio: 16 / 9; object-fit: cover; border-radius: .25rem; background: var(--sunken); }
    .detail .none { display: grid; place-content: center; font-size: .6875rem; color: var(--muted); }
    .detail p { display: flex; flex-wrap: wrap; gap: .125rem .75rem; }
    .hint { color: var(--muted); font-size: .75rem; padding: .5rem .75rem; margin-top: .75rem; }
    @media (max-width: 48rem) { .lane { grid-template-columns: minmax(0, 1fr); gap: 0; } .lane.axis > .name { display: none; } .detail { grid-template-columns: auto minmax(0, 1fr); } .hint { display: none; } }
  `];

  constructor() {
    super();
    Object.assign(this, { width: 0, chosen: null, wanted: () => true, range: "" });
  }

  connectedCallback() {
    super.connectedCallback();
    this.watch = new ResizeObserver(() => this.measure());
    this.watch.observe(this);
  }

  disconnectedCallback() {
    this.watch.disconnect();
    super.disconnectedCallback();
  }

  measure() {
    this.unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const width = (this.renderRoot.querySelector(".plot")?.clientWidth ?? 0) / this.unit;
    if (width && width !== this.width) this.width = width;
  }

  updated() { this.measure(); }

  willUpdate(changed) {
    if (changed.has("lanes")) {
      this.footage = new Map(this.lanes.map((lane) => [lane.point, footageSpans(lane.surveys)]));
      this.chosen = null;
    }
    if (["lanes", "day", "range"].some((name) => changed.has(name))) this.shown = rangeOf(this.range, this.day) ?? fitRange(this.lanes, this.day);
  }


  show(range) { this.emit("range", rangeText(range, this.day[0])); }

  x(at) { return gutter + ((at - this.shown[0]) / (this.shown[1] - this.shown[0])) * (this.width - gutter); }

  // ---- choosing ----

  choose(lane, index) {
    const survey = this.lanes[lane]?.surveys[index];
    if (!survey) return;
    this.chosen = { lane, index };
    const [from, to] = this.shown;
    const at = ms(survey.opened_at);
    if (at < from || at >= to) this.show(moveRange([from, to], at - (from + to) / 2, this.day));
  }

  step(by) {
    const { lane, index } = this.chosen ?? { lane: this.lanes.findIndex(({ surveys }) => surveys.length > 0), index: by > 0 ? -1 : 1 };
    const list = this.lanes[lane]?.surveys ?? [];
    for (let at = index + by; at >= 0 && at < list.length; at += by) if (this.wanted(list[at])) return this.choose(lane, at);
    return undefined;
  }

  /** The nearest in time on the next lane that has any. */
  stepLane(by) {
    if (!this.chosen) return this.step(1);
    const at = ms(this.lanes[this.chosen.lane].surveys[this.chosen.index].opened_at);
    for (let lane = this.chosen.lane + by; lane >= 0 && lane < this.lanes.length; lane += by) {
      const { surveys } = this.lanes[lane];
      if (surveys.length === 0) continue;
      const away = (index) => Math.abs(ms(surveys[index].opened_at) - at);
      return this.choose(lane, surveys.reduce((best, one, index) => (away(index) < away(best) ? index : best), 0));
    }
    return undefined;
  }

  onKey(event) {
    if (isTyping(event) || event.ctrlKey || event.altKey || event.metaKey) return;
    const [from, to] = this.shown;
    const around = this.chosen ? ms(this.lanes[this.chosen.lane].surveys[this.chosen.index].opened_at) : (from + to) / 2;
    const work = {
      ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), ArrowDown: () => this.stepLane(1), ArrowUp: () => this.stepLane(-1),
      "+": () => this.show(zoomRange([from, to], 0.5, around, this.day)), "=": () => this.show(zoomRange([from, to], 0.5, around, this.day)),
      "-": () => this.show(zoomRange([from, to], 2, around, this.day)), 0: () => this.emit("range", ""),
      ",": () => this.show(moveRange([from, to], (from - to) / 2, this.day)), ".": () => this.show(moveRange([from, to], (to - from) / 2, this.day)),
      "[": () => this.emit("day", -1), "]": () => this.emit("day", 1),
      Enter: () => { if (this.chosen && !(event.composedPath()[0] instanceof HTMLAnchorElement)) this.openChosen(); },
    }[event.key];
    if (!work) return;
    if (event.key !== "Enter") event.preventDefault();
    work();
  }

  openChosen() {
    const { lane, index } = this.chosen;
    location.hash = link("surveys", { id: this.lanes[lane].surveys[index].id });
  }

  clicked(event, lane) {
    const box = event.currentTarget.getBoundingClientRect();
    const at = (event.clientX - box.left) / this.unit;
    const row = Math.floor(((event.clientY - box.top) / box.height) * laneHeight / rowHeight);
    let best = -1;
    let near = 12;
    this.lanes[lane].surveys.forEach((survey, index) => {
      const [left, right] = [this.x(ms(survey.opened_at)), this.x(ms(survey.closes_at))];
      const apart = at < left ? left - at : at > right ? at - right : 0;
      const away = apart + (rows[row] === answerOf(survey) ? 0 : 6);
      if (away < near) [near, best] = [away, index];
    });
    if (best >= 0) this.choose(lane, best);
  }

  // ---- drawing ----

  bar(survey) {
    const left = this.x(ms(survey.opened_at));
    const width = Math.max(leastWidth, this.x(ms(survey.closes_at)) - left);
    if (left > this.width || left + width < gutter) return nothing;
    const answer = answerOf(survey);
    const top = Math.max(0, rows.indexOf(answer)) * rowHeight + 1.5;
    const faint = this.wanted(survey) ? "" : "faint";
    const out = survey.validity === "invalid" || survey.validity === "voided";
    return svg`<g class=${faint}><rect class=${answer} x=${left} y=${top} width=${width} height=${rowHeight - 3} rx="1"/>
      ${out ? svg`<rect class="invalid-mark" x=${left - 1.5} y=${top - 1.5} width=${width + 3} height=${rowHeight}/>` : nothing}
      ${survey.late ? svg`<circle class="late" cx=${left + width + 4} cy=${top + 4} r="2.5"/>` : nothing}</g>`;
  }

  rating({ at, answer, channel }) {
    const x = this.x(ms(at));
    const y = Math.max(0, rows.indexOf(answer)) * rowHeight + rowHeight / 2;
    if (x < gutter || x > this.width) return nothing;
    const title = `${formatClock(at, this.zone)} ${t("lanes.rating")}: ${named("answer", answer)}${channel === "panel" ? "" : `, ${channel}`}`;
    return svg`<path class="rating ${answer}" d="M${x - 4} ${y}l4 -4l4 4l-4 4z"><title>${title}</title></path>`;
  }

  strip(spans, name) {
    return spans.map(([from, to]) => {
      const [left, right] = [Math.max(gutter, this.x(from)), Math.min(this.width, this.x(to))];
      return right < gutter || left > this.width ? nothing
        : svg`<rect class=${name} x=${left} y=${name === "missing" ? stripTop - 1 : stripTop + 1} width=${Math.max(1, right - left)} height=${name === "missing" ? 7 : 4}/>`;
    });
  }

  renderChosen(lane) {
    if (this.chosen?.lane !== lane) return nothing;
    const survey = this.lanes[lane].surveys[this.chosen.index];
    const left = this.x(ms(survey.opened_at));
    const width = Math.max(leastWidth, this.x(ms(survey.closes_at)) - left);
    return svg`<rect class="chosen" x=${left - 3} y="0" width=${width + 6} height=${stripTop - 2} rx="2"/>`;
  }

  renderLane(lane, index) {
    const { recorded, missing } = this.footage.get(lane.point);
    const label = t("lanes.label", { point: lane.name, n: lane.surveys.length });
    return html`<div class="lane"><div class="name">${lane.name}<small>${this.names?.(lane.site) ?? lane.site} · ${formatNumber(lane.surveys.length)}</small></div>
      <div class="plot">${this.width ? html`<svg role="img" aria-label=${label} height=${laneHeight * this.unit} viewBox=${`0 0 ${this.width} ${laneHeight}`} preserveAspectRatio="none"
        @click=${(event) => this.clicked(event, index)}>
        ${lane.situations.map(({ from, to }) => svg`<rect class="fm" x=${Math.max(gutter, this.x(ms(from)))} y="0" width=${Math.max(0, Math.max(gutter, this.x(ms(to))) - Math.max(gutter, this.x(ms(from))))} height=${stripTop - 2}/>
          <rect class="fm-edge" x=${Math.max(gutter - 2, this.x(ms(from)))} y="0" width="2" height=${stripTop - 2}/>`)}
        ${rows.map((name, at) => svg`<line class="row" x1="0" x2=${this.width} y1=${(at + 1) * rowHeight} y2=${(at + 1) * rowHeight}/><text x="1" y=${(at + 1) * rowHeight - 2.5}>${signs[name]}</text>`)}
        ${this.axis.marks.map((at) => svg`<line class="grid" x1=${this.x(at)} x2=${this.x(at)} y1="0" y2=${stripTop}/>`)}
        <rect class="unknown" x=${gutter} y=${stripTop + 1} width=${this.width - gutter} height="4"/>
        ${this.strip(recorded, "recorded")}${this.strip(missing, "missing")}
        ${lane.surveys.map((survey) => this.bar(survey))}
        ${lane.ratings.map((rating) => this.rating(rating))}
        ${this.renderChosen(index)}
      </svg>` : nothing}</div></div>`;
  }

  renderAxis() {
    const text = (at) => formatClock(at, this.zone).slice(0, this.axis.step < 60000 ? 8 : 5);
    return html`<div class="lane axis"><div class="name muted">${zoneName(this.day[0], this.zone)}</div><div class="plot">${this.width ? html`
      <svg height=${16 * this.unit} viewBox=${`0 0 ${this.width} 16`} aria-hidden="true">${this.axis.marks.map((at) => {
        const x = this.x(at);
        const anchor = x < gutter + 20 ? "start" : x > this.width - 20 ? "end" : "middle";
        return svg`<text x=${x} y="11" text-anchor=${anchor}>${text(at)}</text>`;
      })}</svg>` : nothing}</div></div>`;
  }

  renderDetail() {
    if (!this.chosen) return html`<p class="card hint">${t("lanes.hint")}</p>`;
    const lane = this.lanes[this.chosen.lane];
    const survey = lane.surveys[this.chosen.index];
    const answer = answerOf(survey);
    return html`<div class="card detail" aria-live="polite">
      ${survey.still ? html`<img src=${survey.still} alt=${t("still.own")}>` : html`<span class="none">${t("still.none")}</span>`}
      <div><p><b class="num">${formatClock(survey.opened_at, this.zone)} – ${formatClock(survey.closes_at, this.zone)}</b><span>${lane.name}</span><span>${survey.employee ?? t("kpi.unassigned")}</span></p>
        <p><b>${signs[answer]} ${named("answer", answer)}</b>${survey.answered_at ? html`<span class="num">${formatClock(survey.answered_at, this.zone)}</span>` : nothing}
          ${survey.late ? html`<span>${t("lanes.late_n", { n: survey.late })}</span>` : nothing}
          ${survey.force_majeure ? html`<span>${t("answer.fm")}</span>` : nothing}
          <span class="muted">${named("video", survey.footage?.state ?? "none")}</span></p>
        ${survey.validity === "unreviewed" ? nothing : html`<okno-verdict .verdict=${survey.validity}></okno-verdict>`}</div>
      <a class="button" href=${link("surveys", { id: survey.id })}>${t("lanes.open")} <kbd>Enter</kbd></a></div>`;
  }

  renderLegend() {
    const [from, to] = this.shown;
    const middle = (from + to) / 2;
    return html`<div class="legend">
      ${rows.map((name) => html`<span><svg width="12" height="10" viewBox="0 0 12 10"><rect class=${name} x="1" y="1" width="10" height="8" rx="1"/></svg> <b>${signs[name]}</b>${named("answer", name)}</span>`)}
      <span><b>◇</b>${t("lanes.rating")}</span><span><b class="amber">○</b>${t("lanes.late")}</span><span><b class="amber">▌</b>${t("answer.fm")}</span>
      <span><b>┄</b>${t("lanes.out")}</span><span><b class="blue">▬</b>${t("lanes.recorded")}</span><span><b class="red">▮</b>${t("lanes.missing")}</span>
      <span class="tools"><button @click=${() => this.emit("day", -1)}>‹ <kbd>[</kbd></button><button @click=${() => this.emit("day", 1)}>› <kbd>]</kbd></button>
        <button aria-label=${t("lanes.zoom_in")} @click=${() => this.show(zoomRange([from, to], 0.5, middle, this.day))}>+</button>
        <button aria-label=${t("lanes.zoom_out")} @click=${() => this.show(zoomRange([from, to], 2, middle, this.day))}>−</button>
        <button @click=${() => this.emit("range", "")}>${t("lanes.whole")} <kbd>0</kbd></button></span></div>`;
  }

  render() {
    this.axis = ticks(this.shown, (this.width || gutter + 1) - gutter, this.day[0]);
    return html`${this.renderLegend()}
      <div class="card board">${this.renderAxis()}${this.lanes.map((lane, index) => this.renderLane(lane, index))}</div>
      ${this.renderDetail()}`;
  }
}
customElements.define("okno-lanes", OknoLanes);
