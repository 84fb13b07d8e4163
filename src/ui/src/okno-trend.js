// One index over time (uPlot): a line without invalid, a line estimated, the ribbon of the interval, and a
// mark where window, question or camera changed: there the line breaks.
import uPlot from "uplot";
import sheet from "uplot/dist/uPlot.min.css";
import { css, html, nothing, unsafeCSS } from "lit";
import { OknoElement } from "./element.js";
import { formatIndex } from "./format.js";
import { t } from "./i18n.js";
import { columnsOf } from "./series.js";
import { formatDay } from "./time.js";

// The axis names days: no piece of it may be shorter, or a day would be named twice.
const days = [1, 2, 3, 7, 14, 30, 61, 91, 182, 365].map((n) => n * 86400);

class OknoTrend extends OknoElement {
  // groups: by a piece of calendar; unit: day, week or month; breaks: [{at, what, point}]
  static properties = { name: {}, groups: { attribute: false }, unit: {}, breaks: { attribute: false }, at: { state: true } };

  static styles = [OknoElement.styles, unsafeCSS(sheet), css`
    :host { min-width: 0; }
    .plot { width: 100%; min-height: 11rem; }
    h3 { display: flex; justify-content: space-between; gap: .5rem; color: var(--text); min-height: 1.25rem; }
    h3 .muted { font-weight: 400; }
    .u-legend { display: none; }
  `];

  firstUpdated() {
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.renderRoot.querySelector(".plot"));
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.dark.addEventListener("change", this.redraw);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.watch?.disconnect();
    this.dark?.removeEventListener("change", this.redraw);
    this.plot?.destroy();
    this.plot = undefined;
  }

  updated(changed) {
    if (changed.has("groups") || changed.has("name") || changed.has("breaks")) this.draw();
  }

  draw() {
    const place = this.renderRoot.querySelector(".plot");
    const width = Math.floor(place?.clientWidth ?? 0);
    if (!width || !this.groups) return;
    this.plot?.destroy();
    this.columns = columnsOf(this.groups, this.name, this.unit, this.breaks);
    const [at, excluded, estimated, low, high] = this.columns;
    this.plot = new uPlot(this.options(width), [at, low, high, excluded, estimated], place); // the ribbon below the lines
  }

  options(width) {
    const look = getComputedStyle(this);
    const color = (name) => look.getPropertyValue(name).trim();
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: `${0.6875 * rem}px system-ui` };
    const line = (stroke, more) => ({ stroke, width: 2, spanGaps: false, points: { show: true, size: 5, fill: stroke }, ...more });
    const end = { stroke: "transparent", width: 0, points: { show: false } };
    return {
      width, height: Math.round(11 * rem), cursor: { y: false, drag: { x: false } }, legend: { show: false },
      scales: { x: { time: true } }, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      axes: [
        { ...axis, space: 6 * rem, incrs: days, values: (_, ticks) => ticks.map((at) => formatDay(new Date(at * 1000), "UTC")), rotate: 0 },
        { ...axis, size: 3.5 * rem, values: (_, ticks) => ticks.map((value) => formatIndex(value)) },
      ],
      series: [{}, end, end, line(color("--text")), line(color("--accent"))],
      bands: [{ series: [2, 1], fill: color("--accent-soft") }],
      hooks: { draw: [(plot) => this.drawBreaks(plot, color("--amber"))], setCursor: [(plot) => { this.at = plot.cursor.idx; }] },
    };
  }

  drawBreaks(plot, stroke) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = stroke;
    ctx.setLineDash([4, 4]);
    for (const { at } of this.breaks) {
      const x = Math.round(plot.valToPos(Date.parse(at) / 1000, "x", true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** What the pointer is at, as words: colour is never the only sign. */
  renderAt() {
    const at = this.columns?.[0][this.at];
    if (at === undefined || this.columns[1][this.at] === null) return nothing;
    const [, excluded, estimated, low, high] = this.columns.map((column) => column[this.at]);
    const value = estimated === null ? formatIndex(excluded) : `${formatIndex(excluded)} ◆ ${formatIndex(estimated)}`;
    return html`<span class="muted num">${formatDay(new Date(at * 1000), "UTC")}: ● ${value} (${formatIndex(low)} … ${formatIndex(high)})</span>`;
  }

  render() {
    return html`
      <h3><span>${t(`kpi.${this.name}`)}</span>${this.renderAt()}</h3>
      <div class="plot" role="img" aria-label=${t("kpi.trend_alt", { name: t(`kpi.${this.name}`), n: this.groups?.length ?? 0 })}></div>`;
  }
}
customElements.define("okno-trend", OknoTrend);
