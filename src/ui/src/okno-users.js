// Who logs in, and which sites they see. For administrators.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post } from "./api.js";
import { errorText } from "./errors.js";
import { siteName } from "./filters.js";
import { named, t } from "./i18n.js";
import { formatDay } from "./time.js";
import "./okno-notice.js";

class OknoUsers extends PageElement {
  static properties = { users: { state: true }, sites: { state: true }, destinations: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 72rem; margin: 0 auto; align-content: start; }
    li { display: grid; grid-template-columns: minmax(9rem, 14rem) minmax(0, 1fr); gap: .5rem 1rem; padding: .75rem; border-bottom: 1px solid var(--line); }
    li:last-child { border-bottom: 0; }
    .note { font-size: .75rem; color: var(--muted); }
    .grants { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: center; }
    .grant { display: inline-flex; align-items: center; gap: .25rem; background: var(--sunken); border-radius: .25rem; padding: 0 0 0 .5rem; }
    .grant button { min-height: 1.75rem; }
    .none { color: var(--amber); font-weight: 600; }
    .wait { height: 3.5rem; }
    @media (max-width: 40rem) { :host { padding: .75rem .5rem; } li { grid-template-columns: minmax(0, 1fr); padding: .5rem; } }
  `];

  connectedCallback() {
    super.connectedCallback();
    this.reload();
  }

  async load() {
    const [{ users }, { sites }, { destinations }] = await Promise.all([get("users"), get("sites"), get("destinations")]);
    return () => { Object.assign(this, { users, sites, destinations }); };
  }

  /** Where what concerns the person goes: what became of an appeal. */
  async sendTo(user, destination) {
    try {
      await post(`users/${encodeURIComponent(user)}/destination`, { destination: destination || null });
      await this.reload();
    } catch (error) {
      this.emit("toast", { text: errorText(error), tone: "amber" });
    }
  }

  /** Of those who may appeal. */
  renderDestination({ user, role, destination }) {
    if (!["staff", "manager"].includes(role) || this.destinations.length === 0) return nothing;
    return html`<label class="note">${t("users.messages")} <select name="destination" @change=${(event) => this.sendTo(user, event.target.value)}>
      <option value="">${t("users.messages_none")}</option>${this.destinations.map((one) => html`
      <option value=${one.destination} ?selected=${one.destination === destination}>${one.destination}</option>`)}</select></label>`;
  }

  async grant(user, scope, granted) {
    try {
      await post(`users/${encodeURIComponent(user)}/grants`, { scope, granted });
      await this.reload();
      this.emit("toast", { text: t(granted ? "users.granted" : "users.taken_back", { user, scope: this.scopeText(scope) }) });
    } catch (error) {
      this.emit("toast", { text: errorText(error), tone: "amber" });
    }
  }

  scopeText(scope) {
    if (scope === "all") return t("users.all_sites");
    const [word, name] = [scope.slice(0, scope.indexOf(":")), scope.slice(scope.indexOf(":") + 1)];
    return word === "group" ? t("users.group", { name }) : siteName(this.sites, name);
  }

  renderGrants({ user, grants, sees_granted_only: needs }) {
    if (!needs) return html`<span class="muted">${t("users.needs_none")}</span>`;
    const given = new Set(grants.map(({ scope }) => scope));
    const scopes = ["all", ...this.sites.map(({ site }) => `site:${site}`)].filter((scope) => !given.has(scope));
    return html`
      ${grants.length === 0 ? html`<span class="none">! ${t("users.sees_nothing")}</span>` : nothing}
      ${grants.map(({ scope, at, author }) => html`<span class="grant" title=${t("users.since", { when: formatDay(at, "UTC"), author })}>${this.scopeText(scope)}
        <button class="quiet" aria-label=${t("users.take_back", { scope: this.scopeText(scope) })} @click=${() => this.grant(user, scope, false)}>✕</button></span>`)}
      ${scopes.length ? html`<select aria-label=${t("users.grant")} @change=${(event) => { if (event.target.value) this.grant(user, event.target.value, true); event.target.value = ""; }}>
        <option value="">${t("users.grant")}</option>${scopes.map((scope) => html`<option value=${scope}>${this.scopeText(scope)}</option>`)}</select>` : nothing}`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.users) return html`${[1, 2, 3].map(() => html`<div class="skeleton wait"></div>`)}`;
    return html`
      <h1>${t("nav.users")}</h1>
      <ul class="card">${this.users.map((user) => html`<li>
        <div><b>${user.user}</b>${user.name ? html` · ${user.name}` : nothing}
          <div class="note">${named("role", user.role)}${user.employee ? ` · ${user.employee}` : ""}${user.disabled ? ` · ${t("users.disabled")}` : ""}</div></div>
        <div><div class="grants">${this.renderGrants(user)}</div>${this.renderDestination(user)}</div></li>`)}</ul>
      <p class="note">${t("users.how")}</p>`;
  }
}
customElements.define("okno-users", OknoUsers);
