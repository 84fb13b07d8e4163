// One index as a line: light band (k = 0..1), bar of the interval, raw (ring), without invalid (dot),
// estimated (diamond).
import { css, html, svg, nothing } from "lit";
import { OknoElement } from "./element.js";
import { formatIndex } from "./format.js";
import { t } from "./i18n.js";

class OknoDumbbell extends OknoElement {
  static properties = { name: {}, value: { attribute: false }, low: { type: Number }, high: { type: Number } };

  static styles = [OknoElement.styles, css`
    svg { display: block; width: 100%; height: 1.75rem; overflow: visible; }
    .axis { stroke: var(--line); }
    .zero { stroke: var(--muted); stroke-dasharray: 2 2; }
    .band { fill: var(--sunken); }
    .interval { fill: var(--accent-soft); stroke: var(--accent); stroke-width: 1; }
    .raw { fill: var(--surface); stroke: var(--muted); stroke-width: 1.5; }
    .excluded { fill: var(--text); }
    .estimated { fill: var(--accent); }
    .tie { stroke: var(--muted); stroke-width: 1.5; }
  `];

  x(value) {
    const share = (value - this.low) / (this.high - this.low);
    return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
  }

  /** The ends may come in either order: loyalty falls as k grows. */
  span(ends, y, height, name) {
    const [left, right] = [Math.min(...ends), Math.max(...ends)].map((one) => Math.min(this.high, Math.max(this.low, one)));
    const width = `${(((right - left) / (this.high - this.low)) * 100).toFixed(2)}%`;
    return svg`<rect class=${name} x=${this.x(left)} width=${width} y=${y} height=${height} rx=".125rem"></rect>`;
  }

  /** A diamond: a square turned about a point whose place is given in percent. */
  diamond(value) {
    return svg`<svg x=${this.x(value)} y=".875rem" width=".75rem" height=".75rem" viewBox="0 0 12 12" overflow="visible">
      <path class="estimated" d="M0-6 6 0 0 6-6 0Z"></path></svg>`;
  }

  render() {
    const { raw, excluded, band, estimated } = this.value;
    const known = typeof estimated?.value === "number"; // null: only its bounds are given
    const label = t("kpi.alt", { name: this.name, raw: formatIndex(raw), excluded: formatIndex(excluded), estimated: formatIndex(estimated?.value) });
    return html`<svg role="img" aria-label=${label}>
      ${band ? this.span(band, ".3125rem", "1.125rem", "band") : nothing}
      ${svg`<line class="axis" x1="0" x2="100%" y1=".875rem" y2=".875rem"></line>`}
      ${this.low < 0 && this.high > 0 ? svg`<line class="zero" x1=${this.x(0)} x2=${this.x(0)} y1=".1875rem" y2="1.5625rem"></line>` : nothing}
      ${known ? this.span([estimated.low, estimated.high], ".625rem", ".5rem", "interval") : nothing}
      ${raw === null || excluded === null ? nothing : svg`
        <line class="tie" x1=${this.x(raw)} x2=${this.x(excluded)} y1=".875rem" y2=".875rem"></line>
        <circle class="raw" cx=${this.x(raw)} cy=".875rem" r=".28rem"></circle>
        <circle class="excluded" cx=${this.x(excluded)} cy=".875rem" r=".19rem"></circle>`}
      ${known ? this.diamond(estimated.value) : nothing}
    </svg>`;
  }
}
customElements.define("okno-dumbbell", OknoDumbbell);
