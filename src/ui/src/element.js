// What every element of the page has in common: the shared look, and a new render when the
// language changes.
import { LitElement } from "lit";
import { onLanguage } from "./i18n.js";
import { shared } from "./style.js";

export class OknoElement extends LitElement {
  static styles = shared;

  connectedCallback() {
    super.connectedCallback();
    this.stopLanguage = onLanguage(() => this.requestUpdate());
  }

  disconnectedCallback() {
    this.stopLanguage();
    super.disconnectedCallback();
  }

  /** Tell the elements above what happened; detail is plain data. */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
