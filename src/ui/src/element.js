// What every element of the page has in common: the shared look, a new render when the language
// changes, and the keyboard: an element with onKey(event) hears every key while it is shown.
import { LitElement } from "lit";
import { onLanguage } from "./i18n.js";
import { shared } from "./style.js";

export class OknoElement extends LitElement {
  static styles = shared;

  #hear = (event) => this.onKey(event);

  connectedCallback() {
    super.connectedCallback();
    this.stopLanguage = onLanguage(() => this.requestUpdate());
    if (this.onKey) addEventListener("keydown", this.#hear);
  }

  disconnectedCallback() {
    this.stopLanguage();
    removeEventListener("keydown", this.#hear);
    super.disconnectedCallback();
  }

  /** Tell the elements above what happened; detail is plain data. */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
