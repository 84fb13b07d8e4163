// What the pages that show lists share: load when the address changes, one error path, the newest
// answer wins.
import { html } from "lit";
import { OknoElement } from "./element.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";

export class PageElement extends OknoElement {
  static properties = { query: { attribute: false }, id: {}, problem: { state: true }, loading: { state: true } };

  constructor() {
    super();
    this.problem = "";
    this.loading = true;
    this.turn = 0;
  }

  /** A page with a static refreshMs needs no query to load, and loads again while somebody looks. */
  connectedCallback() {
    super.connectedCallback();
    const { refreshMs } = this.constructor;
    if (!refreshMs) return;
    this.reload();
    this.timer = setInterval(() => this.refresh(), refreshMs);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  willUpdate(changed) {
    if (changed.has("id") || (changed.has("query") && !sameFields(changed.get("query"), this.query))) this.reload();
  }

  /** Runs load() of the page; an answer that a newer question has overtaken is dropped. */
  async reload() {
    const turn = ++this.turn;
    this.loading = true;
    this.problem = "";
    try {
      const show = await this.load();
      if (turn === this.turn) show();
    } catch (error) {
      if (error.status === undefined) throw error;
      if (turn !== this.turn) return;
      if (error.status === 401) this.emit("session-ended");
      this.problem = errorText(error);
    } finally {
      if (turn === this.turn) this.loading = false;
    }
  }

  /** The same once more; what fails is tried at the next turn. */
  async refresh() {
    if (document.visibilityState !== "visible" || this.loading || this.problem) return;
    const { turn } = this;
    const show = await this.load().catch(() => null);
    if (show && turn === this.turn) show();
  }

  renderProblem() {
    return html`<okno-notice .text=${this.problem}>
      <button class="primary" @click=${this.reload}>${t("error.retry")}</button></okno-notice>`;
  }
}

function sameFields(one, other) {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
