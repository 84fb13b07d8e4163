// How many surveys to draw, worked out while one plans: for a share known to so much, and for seeing one rare case.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { get, withQuery } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { t } from "./i18n.js";

const pauseMs = 300; // typing goes on

class OknoSampleSize extends OknoElement {
  static properties = { from: {}, to: {}, wish: { state: true }, sizes: { state: true }, trouble: { state: true } };

  static styles = [OknoElement.styles, css`
    :host { background: var(--sunken); border-radius: .375rem; padding: .5rem .75rem; }
    div { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: baseline; padding: .125rem 0; }
    label { display: contents; } input { width: 5rem; min-height: 1.75rem; font-size: .8125rem; }
    button { min-height: 1.75rem; } .small { font-size: .75rem; color: var(--muted); } .trouble { color: var(--invalid); }
  `];

  constructor() {
    super();
    this.wish = { share: 5, width: 2.5, rate: 1 };
    this.turn = 0;
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    super.disconnectedCallback();
  }

  willUpdate(changed) {
    if (!["from", "to", "wish"].some((name) => changed.has(name))) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), this.sizes ? pauseMs : 0);
  }

  /** The newest question's answer is shown. */
  async ask() {
    const turn = ++this.turn;
    const wish = Object.fromEntries(Object.entries(this.wish).map(([name, percent]) => [name, percent / 100]));
    try {
      const sizes = await get(withQuery("sample-size", { from: this.from, to: this.to, ...wish }));
      if (turn === this.turn) Object.assign(this, { sizes, trouble: "" });
    } catch (error) {
      if (error.status === undefined) throw error;
      if (turn === this.turn) Object.assign(this, { sizes: null, trouble: error.field === "from" && error.status === 404 ? t("size.none") : errorText(error) });
    }
  }

  renderInput(name, max) {
    return html`<input type="number" name=${`size-${name}`} aria-label=${t(`size.${name}`)} min="0.1" max=${max} step="any" .value=${String(this.wish[name])}
      @input=${({ target }) => { if (target.value !== "" && target.checkValidity()) this.wish = { ...this.wish, [name]: Number(target.value) }; }}>`;
  }

  renderTake(size) {
    return size === undefined ? nothing : html`<button type="button" @click=${() => this.emit("size-take", size)}>${t("size.take", { n: formatNumber(size) })}</button>`;
  }

  render() {
    return html`
      <p class="small">${this.sizes ? t("size.frame", { n: this.sizes.frame }) : this.trouble || t("size.asking")}</p>
      <div>${t("size.share")} ${this.renderInput("share", 99)} % ${t("size.width")} ${this.renderInput("width", 50)} %: ${this.renderTake(this.sizes?.width)}</div>
      <div>${t("size.rate")} ${this.renderInput("rate", 50)} % ${t("size.rate_end")} ${this.renderTake(this.sizes?.rate)}</div>`;
  }
}
customElements.define("okno-sample-size", OknoSampleSize);
