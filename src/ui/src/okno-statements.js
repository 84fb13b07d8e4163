// What an employee sees of the own pay periods.
import { css, html } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { t } from "./i18n.js";
import "./okno-notice.js";
import "./okno-statement.js";

class OknoStatements extends PageElement {
  static properties = { data: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; gap: 1rem; max-width: 48rem; margin: 0 auto; align-content: start; }
    .wait { height: 12rem; }
  `];

  connectedCallback() {
    super.connectedCallback();
    this.reload();
  }

  async load() {
    const data = await get("statements");
    return () => { this.data = data; };
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`<div class="skeleton wait"></div>`;
    if (!this.data.employee) return html`<okno-notice .heading=${t("pay.nobody")} .text=${t("pay.nobody_next")}></okno-notice>`;
    if (this.data.statements.length === 0) return html`<okno-notice .heading=${t("pay.none_yet")} .text=${t("pay.none_yet_next")}></okno-notice>`;
    return html`<h1>${t("nav.statements")}</h1>${this.data.statements.map((one) => html`<okno-statement .statement=${one}></okno-statement>`)}`;
  }
}
customElements.define("okno-statements", OknoStatements);
