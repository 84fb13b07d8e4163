// How much is done: a bar and its figures.
import { css, html, svg } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";
import { formatNumber } from "./format.js";

class OknoProgress extends OknoElement {
  static properties = { value: { type: Number }, total: { type: Number }, label: {} };

  static styles = [OknoElement.styles, css`
    :host { display: flex; align-items: center; gap: .75rem; }
    svg { flex: 1; height: .5rem; min-width: 3rem; border-radius: .25rem; overflow: hidden; }
    .track { fill: var(--sunken); }
    .done { fill: var(--accent); }
  `];

  render() {
    const share = this.total > 0 ? Math.min(1, this.value / this.total) : 0;
    return html`
      <span class="num nowrap">${t("review.progress", { reviewed: formatNumber(this.value), total: formatNumber(this.total) })}</span>
      <svg role="progressbar" aria-label=${this.label ?? ""} aria-valuemin="0" aria-valuemax=${this.total} aria-valuenow=${this.value}>
        ${svg`<rect class="track" width="100%" height="100%"></rect><rect class="done" width=${`${(share * 100).toFixed(2)}%`} height="100%"></rect>`}
      </svg>`;
  }
}
customElements.define("okno-progress", OknoProgress);
